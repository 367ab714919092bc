using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Caching;

/// <summary>
/// Where encoded layers wait until the packed file is written, and statistics until layers are encoded: in the cache, or, where there is none or
/// it cannot be written, in a folder beside the output that goes when this is disposed. So memory holds the layers in flight, never the model.
/// </summary>
internal sealed class LayerStore : IDisposable
{
    private const string LockExtension = ".lock";

    private readonly LayerCache? cache;
    private readonly LayerCache spill;
    private readonly DiagnosticBag diagnostics;
    private FileStream? spillLock;

    /// <param name="cache">The cache, or null if there is none.</param>
    /// <param name="outputPath">The absolute path of what is to be written in the end.</param>
    /// <param name="diagnostics">Receives what is wrong with the cache.</param>
    public LayerStore(LayerCache? cache, string outputPath, DiagnosticBag diagnostics)
    {
        this.diagnostics = diagnostics;
        this.cache = cache;
        string directory = Path.GetDirectoryName(outputPath)!;
        string prefix = $".{Path.GetFileName(outputPath)}.layers.";
        RemoveLeftOvers(directory, prefix);
        spill = new LayerCache(Path.Combine(directory, prefix + Guid.NewGuid().ToString("N")));
    }

    /// <summary>
    /// True to copy what is found in the cache, so that nobody can take it away any more. That costs room on the disk and is needed only where
    /// entries are seen to vanish.
    /// </summary>
    public bool KeepCopies { get; set; }

    /// <summary>True if somebody else may add to it: what was not found may be there later.</summary>
    public bool Grows => cache is { ReadOnly: false };

    /// <summary>What the layer of a key is called in here.</summary>
    public string NameOf(LayerKey key) => key.EntryName(cache?.Salt ?? "");

    /// <summary>Takes the right to encode a layer; see <see cref="LayerCache.TryLock"/>.</summary>
    public bool TryLock(string name, out IDisposable? held)
    {
        held = null;
        return cache is null || cache.TryLock(name, out held);
    }

    /// <summary>True if the cache has an entry of that key, which need not be a good one.</summary>
    public bool Contains(LayerKey key) => cache?.Contains(NameOf(key)) == true;

    /// <summary>Finds an encoded layer in the cache.</summary>
    public LayerEntry? TryRead(LayerKey key)
    {
        string name = NameOf(key);
        var entry = cache?.TryRead(name, diagnostics);
        return entry is null || !entry.IsOf(key) ? null : KeepCopies ? Copy(name, entry) : entry;
    }

    /// <summary>Stores an encoded layer.</summary>
    /// <exception cref="CompressException">There is no room for it anywhere.</exception>
    public LayerEntry Write(string name, EncodedTensor tensor, DType dtype, IReadOnlyList<long> shape, ErrorSums error)
    {
        if (cache?.TryWrite(name, tensor, dtype, shape, error, diagnostics) is { } entry && !KeepCopies)
        {
            return entry;
        }

        return Spill(() => spill.Write(name, tensor, dtype, shape, error));
    }

    public void Dispose()
    {
        if (spillLock is not null)
        {
            spillLock.Dispose();
            RemoveFolder(spillLock.Name);
        }
    }

    private LayerEntry? Copy(string name, LayerEntry entry)
    {
        try
        {
            return Spill(() => spill.Adopt(name, entry));
        }
        catch (Exception exception) when (exception is EntryGoneException or InvalidDataException)
        {
            return null; // as if it had not been found
        }
    }

    private LayerEntry Spill(Func<LayerEntry> write)
    {
        try
        {
            HoldSpill();
            return write();
        }
        catch (Exception exception) when (exception is IOException and not EntryGoneException or UnauthorizedAccessException)
        {
            throw new CompressException(Codes.OutputNotWritable,
                $"encoded layers cannot be written beside the output: {exception.Message}", spill.Directory, exception);
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
