using Compress.Core.Caching;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Compression;

/// <summary>
/// Where encoded layers wait until the packed file is written: in the cache, or, where there is none or it cannot be written, in a
/// folder beside the output that goes when this is disposed. So memory holds the layers in flight, never the model.
/// </summary>
internal sealed class LayerStore : IDisposable
{
    private static readonly TimeSpan Abandoned = TimeSpan.FromDays(1);

    private readonly LayerCache? cache;
    private readonly LayerCache spill;
    private readonly DiagnosticBag diagnostics;
    private int cacheFailed;

    public LayerStore(CompressionRequest request, DiagnosticBag diagnostics)
    {
        this.diagnostics = diagnostics;
        cache = request.CacheDirectory is null ? null : new LayerCache(request.CacheDirectory);
        string directory = Path.GetDirectoryName(request.OutputPath)!;
        string prefix = $".{Path.GetFileName(request.OutputPath)}.layers.";
        RemoveLeftOvers(directory, prefix);
        spill = new LayerCache(Path.Combine(directory, prefix + Guid.NewGuid().ToString("N")));
    }

    /// <summary>Finds an encoded layer in the cache.</summary>
    public LayerEntry? TryRead(string key) => cache?.TryRead(key, diagnostics);

    /// <summary>Stores an encoded layer. A cache that cannot be written costs one warning.</summary>
    /// <exception cref="CompressException">There is no room for it anywhere.</exception>
    public LayerEntry Write(string key, EncodedTensor tensor, DType dtype, IReadOnlyList<long> shape, ErrorSums error)
    {
        if (cache is not null && Volatile.Read(ref cacheFailed) == 0)
        {
            try
            {
                return cache.Write(key, tensor, dtype, shape, error);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                if (Interlocked.Exchange(ref cacheFailed, 1) == 0)
                {
                    diagnostics.Add(new Diagnostic(Codes.CacheNotWritable, Severity.Warning,
                        $"the cache cannot be written ({exception.Message}); the build goes on without it", cache.Directory));
                }
            }
        }

        try
        {
            return spill.Write(key, tensor, dtype, shape, error);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CompressException(Codes.OutputNotWritable,
                $"encoded layers cannot be written beside the output: {exception.Message}", spill.Directory, exception);
        }
    }

    public void Dispose() => TryDelete(spill.Directory);

    // A killed process leaves its folder behind. One that works writes to its folder far more often than once in this time.
    private static void RemoveLeftOvers(string directory, string prefix)
    {
        if (!Directory.Exists(directory))
        {
            return;
        }

        foreach (string folder in Directory.EnumerateDirectories(directory, prefix + "*"))
        {
            if (Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories).Append(folder)
                .All(part => Directory.GetLastWriteTimeUtc(part) < DateTime.UtcNow - Abandoned))
            {
                TryDelete(folder);
            }
        }
    }

    private static void TryDelete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Not there, or in use: nothing depends on it.
        }
    }
}
