using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.LanguageModels;

namespace Compress.Core.Tests.Recipes;

public sealed class SampleRecipe : IDisposable
{
    private readonly TinyLlama llama = new();

    public static TheoryData<string> Names => [.. Directory.GetFiles(Repository.PathOf("samples/recipes"), "*.yaml").Select(path => Path.GetFileNameWithoutExtension(path)!).Order(StringComparer.Ordinal)];

    public void Dispose() => llama.Dispose();

    // A text of token ids in the place of theirs, because the model has no tokenizer; and a small group, because it has no long rows.
    [Theory]
    [MemberData(nameof(Names))]
    public void CompressesALanguageModel(string name)
    {
        llama.Write();
        string recipe = Path.Combine(llama.Folder, "compress.yaml"), output = Path.Combine(llama.Folder, "out", "packed.safetensors");
        Directory.CreateDirectory(Path.GetDirectoryName(output)!);
        File.WriteAllText(Path.Combine(llama.Folder, "training.ids"), string.Join(' ', Enumerable.Range(0, 3000).Select(i => i * i % 10)));
        File.WriteAllText(recipe, File.ReadAllText(Repository.PathOf($"samples/recipes/{name}.yaml"))
            .Replace("training.txt", "training.ids", StringComparison.Ordinal).Replace("steps: 400", "steps: 4", StringComparison.Ordinal)
            .Replace("bits: 3", "bits: 7", StringComparison.Ordinal) + "\n");
        var diagnostics = new DiagnosticBag();
        var report = Compressor.Run(new(llama.Folder, recipe, output) { Cache = new LayerCache(Path.Combine(llama.Folder, "cache")) }, diagnostics, null, CancellationToken.None);
        Assert.DoesNotContain(diagnostics.Items, item => item.Severity == Severity.Error);
        Assert.NotNull(report);
    }
}
