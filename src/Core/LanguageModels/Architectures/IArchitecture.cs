using Compress.Core.LanguageModels.Blocks;
using Compress.Core.LanguageModels.Weights;

namespace Compress.Core.LanguageModels.Architectures;

/// <summary>How models of a family are put together from blocks. A new family is one class and one row in <see cref="ArchitectureTable"/>.</summary>
internal interface IArchitecture
{
    /// <summary>The names in <c>architectures</c> of config.json.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>Puts a model together.</summary>
    /// <param name="name">Which of <see cref="Names"/> it is.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="parameters">Its tensors. Those that do not fit are collected there.</param>
    /// <exception cref="Diagnostics.CompressException">The configuration is not one of this family.</exception>
    Decoder Build(string name, ModelConfig config, ParameterSet parameters);
}
