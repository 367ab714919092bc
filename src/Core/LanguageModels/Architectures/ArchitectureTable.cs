using Compress.Core.Diagnostics;
using Compress.Runtime.Safetensors;

namespace Compress.Core.LanguageModels.Architectures;

/// <summary>All architectures.</summary>
internal static class ArchitectureTable
{
    public static IReadOnlyList<IArchitecture> All { get; } = [new LlamaFamily(), new Opt(), new Gpt2()];

    /// <summary>The architecture that a configuration names, and its name there.</summary>
    /// <exception cref="CompressException">It names none that is known.</exception>
    public static (IArchitecture Architecture, string Name) Of(ModelConfig config)
    {
        var named = config.Texts("architectures");
        foreach (string name in named)
        {
            if (All.FirstOrDefault(architecture => architecture.Names.Contains(name)) is { } found)
            {
                return (found, name);
            }
        }

        string what = named.Count == 0 ? "the configuration names no architecture" : $"the architecture {Quote.Name(named[0])} is not known";
        throw config.Error(
            Codes.LanguageModelUnknown, "architectures", $"{what}; known are {string.Join(", ", All.SelectMany(architecture => architecture.Names))}");
    }
}
