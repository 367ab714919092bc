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
    private const string LockExtension = ".lock";

    private readonly LayerCache? cache;
    private readonly LayerCache spill;
    private readonly DiagnosticBag diagnostics;
    private FileStream? spillLock;
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
            HoldSpill();
            return spill.Write(key, tensor, dtype, shape, error);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CompressException(Codes.OutputNotWritable,
                $"encoded layers cannot be written beside the output: {exception.Message}", spill.Directory, exception);
        }
    }

    public void Dispose()
    {
        if (spillLock is not null)
        {
            spillLock.Dispose();
            RemoveFolder(spillLock.Name);
        }
    }

    // A killed process leaves its folder behind, with a lock that nobody holds: made before the folder, removed after it.
    private static void RemoveLeftOvers(string directory, string prefix)
    {
        if (!Directory.Exists(directory))
        {
            return;
        }

        foreach (string lockFile in Directory.EnumerateFiles(directory, prefix + "*" + LockExtension))
        {
            try
            {
                new FileStream(lockFile, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1).Dispose();
                RemoveFolder(lockFile);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // In use.
            }
        }
    }

    private static void RemoveFolder(string lockFile)
    {
        try
        {
            string folder = lockFile[..^LockExtension.Length];
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }

            File.Delete(lockFile);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // In use: nothing depends on it, and the next run tries again.
        }
    }

    private void HoldSpill()
    {
        lock (spill)
        {
            if (spillLock is null)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(spill.Directory)!);
                spillLock = new FileStream(spill.Directory + LockExtension, FileMode.Create, FileAccess.Write, FileShare.None, 1);
            }
        }
    }
}
