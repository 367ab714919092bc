using System.Security.Cryptography;
using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Infra;

/// <summary>A model of two matrices, a vector and an integer table, and what is needed to compress it.</summary>
public abstract class CompressionTest : IDisposable
{
    private readonly TempFolder folder = new();

    protected CompressionTest()
    {
        Directory.CreateDirectory(folder["model"]);
        Directory.CreateDirectory(folder["out"]);
        Standard().Write(ModelPath);
    }

    internal DiagnosticBag Diagnostics { get; private set; } = new();

    protected string ModelPath => folder["model", "m.safetensors"];

    protected string RecipePath => folder["model", "compress.yaml"];

    protected string OutputPath => folder["out", "m.packed.safetensors"];

    protected string CachePath => folder["cache"];

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    internal static TestModel Standard(int seedOfB = 2) => new TestModel()
        .AddGaussian("a.weight", 64, 96, 1)
        .AddGaussian("b.weight", 128, 64, seedOfB)
        .Add("norm.weight", [4], 1f, 2f, 3f, 4f)
        .Add("position", DType.I64, [2], [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);

    internal CompressionReport? Run(
        bool cache = true, int threads = 2, bool force = false, IProgress<CompressionProgress>? progress = null, CancellationToken token = default)
    {
        Diagnostics = new DiagnosticBag();
        var request = new CompressionRequest(ModelPath, null, OutputPath)
        {
            Cache = cache ? new LayerCache(CachePath) : null,
            Threads = threads,
            Force = force,
        };
        return Compressor.Run(request, Diagnostics, progress, token);
    }

    internal CompressionReport RunWell(bool cache = true, int threads = 2, bool force = false)
    {
        var report = Run(cache, threads, force);
        Assert.Empty(Diagnostics.Items);
        return report!;
    }

    protected void Recipe(string text) => File.WriteAllText(RecipePath, text);

    protected string OutputHash() => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(OutputPath)));

    protected string[] Entries() => [.. Directory.GetFiles(CachePath, "*.layer", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    protected string[] FilesBesideOutput() => [.. Directory.GetFileSystemEntries(folder["out"]).Select(path => Path.GetFileName(path))];
}
