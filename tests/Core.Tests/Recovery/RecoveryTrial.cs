using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Tests.LanguageModels;

namespace Compress.Core.Tests.Recovery;

/// <summary>A small Llama, compressed to few bits by recipes that train it.</summary>
internal sealed class RecoveryTrial : IDisposable, IProgress<CompressionProgress>
{
    public const string Rule = "layers:\n- match: '*_proj.weight'\n  method: higgs\n  bits: 2\n  groupSize: 16\n";

    public RecoveryTrial(int layers)
    {
        Llama.SetLayers(layers);
        Llama.Write();
        File.WriteAllText(Path.Combine(Llama.Folder, "t.ids"), string.Join(' ', Enumerable.Range(0, 600).Select(i => i * i % 10)));
    }

    public TinyLlama Llama { get; } = new();

    public DiagnosticBag Diagnostics { get; } = new();

    public string OutputPath => Path.Combine(Llama.Folder, "out", "m.packed.safetensors");

    /// <summary>The packed file.</summary>
    public byte[] Bytes => File.ReadAllBytes(OutputPath);

    /// <summary>Steps that were told of.</summary>
    public int Steps { get; set; }

    /// <summary>Is told of each step.</summary>
    public Action<Core.Recovery.RecoveryProgress>? At { get; set; }

    public CompressionReport Compress(string recipe, string cache = "cache")
    {
        var report = Run(recipe, cache, CancellationToken.None);
        Assert.Empty(Diagnostics.Items);
        return report!;
    }

    public CompressionReport? Run(string recipe, string cache, CancellationToken cancellationToken)
    {
        File.WriteAllText(Path.Combine(Llama.Folder, "compress.yaml"), recipe);
        Directory.CreateDirectory(Path.GetDirectoryName(OutputPath)!);
        return Compressor.Run(
            new(Llama.Folder, Path.Combine(Llama.Folder, "compress.yaml"), OutputPath) { Cache = new LayerCache(Path.Combine(Llama.Folder, cache)), Threads = 2 },
            Diagnostics, this, cancellationToken);
    }

    public void Report(CompressionProgress value)
    {
        if (value.Recovery is { } recovery)
        {
            Steps++;
            At?.Invoke(recovery);
        }
    }

    public void Dispose() => Llama.Dispose();
}
