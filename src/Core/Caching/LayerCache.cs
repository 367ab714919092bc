using System.Collections.Concurrent;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Caching;

/// <summary>
/// A folder of encoded tensors, one file per key. Any number of threads and processes may use it at once: entries are complete when
/// they appear, every byte is checked when one is read, and one that is removed while it is in use is noticed.
/// </summary>
/// <param name="directory">The absolute path of the folder; made when first needed.</param>
/// <param name="readOnly">True to change nothing in it.</param>
/// <param name="salt">Keeps its entries apart from those of other salts; see <see cref="LayerKey.EntryName"/>.</param>
public sealed partial class LayerCache(string directory, bool readOnly = false, string salt = "")
{
    private const string Extension = ".layer";

    // How exactly Trim knows the time of last use. A hit should not cost a disk write, so it is written once an hour at most.
    private static readonly TimeSpan UseResolution = TimeSpan.FromHours(1);

    private readonly string entries = Path.Combine(directory, FormattableString.Invariant($"v{LayerEntry.FormatVersion}"));
    private readonly ConcurrentDictionary<string, bool> used = new(StringComparer.Ordinal); // true: written
    private int unwritable;

    /// <summary>The absolute path of the folder.</summary>
    public string Directory => directory;

    /// <summary>True if nothing is written to it.</summary>
    public bool ReadOnly => readOnly;

    /// <summary>Keeps its entries apart from those of other salts.</summary>
    public string Salt => salt;

    /// <summary>Writes a file of the cache. Tests give one that fails as Windows does where a file is open elsewhere.</summary>
    internal Action<string, Action<Stream>> WriteFile { get; init; } = static (path, write) => AtomicFile.Write(path, write, durable: false);

    /// <summary>Finds an entry. A damaged one is removed with a message, and counts as absent.</summary>
    public LayerEntry? TryRead(string name, DiagnosticBag diagnostics)
    {
        var entry = TryRead(name, diagnostics, out _);
        if (entry is not null && !readOnly)
        {
            used.TryAdd(name, false);
            MarkUsed(PathOf(name));
            EntryLock.RemoveLeftOver(PathOf(name));
        }

        return entry;
    }

    /// <summary>True if there is an entry of that name, which need not be a good one.</summary>
    public bool Contains(string name) => File.Exists(PathOf(name));

    /// <summary>Takes the right to compute an entry. Where it is granted, the entry may be there by now.</summary>
    /// <param name="name">The entry's name.</param>
    /// <param name="held">To be disposed when the entry has been written. Null if no lock is needed or can be had.</param>
    /// <returns>False if another thread or process is computing it.</returns>
    public bool TryLock(string name, out IDisposable? held)
    {
        held = null;
        return readOnly || Volatile.Read(ref unwritable) != 0 || EntryLock.TryTake(PathOf(name), out held);
    }

    /// <summary>Writes an entry, unless the cache is read-only or could not be written before. The first failure is a warning.</summary>
    /// <returns>Null if the entry was not written.</returns>
    public LayerEntry? TryWrite(
        string name, EncodedTensor tensor, DType dtype, IReadOnlyList<long> shape, ErrorSums error, DiagnosticBag diagnostics)
    {
        if (readOnly || Volatile.Read(ref unwritable) != 0)
        {
            return null;
        }

        try
        {
            return Write(name, tensor, dtype, shape, error);
        }
        catch (EntryGoneException)
        {
            return null; // somebody empties the cache; it can be written all the same
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (TryRead(name, diagnostics) is { } present)
            {
                return present; // Windows does not replace a file that is open elsewhere: somebody else wrote the same entry.
            }

            if (Interlocked.Exchange(ref unwritable, 1) == 0)
            {
                diagnostics.Add(new Diagnostic(Codes.CacheNotWritable, Severity.Warning,
                    $"the cache cannot be written ({exception.Message}); the build goes on without it", directory));
            }

            return null;
        }
    }

    /// <summary>Writes an entry and opens it.</summary>
    /// <exception cref="EntryGoneException">It has been removed at once.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public LayerEntry Write(string name, EncodedTensor tensor, DType dtype, IReadOnlyList<long> shape, ErrorSums error)
    {
        string path = PathOf(name);
        WriteFile(path, stream => LayerEntry.Write(stream, tensor, dtype, shape, error));
        used[name] = true;
        return LayerEntry.Read(path) ?? throw new EntryGoneException(path);
    }

    /// <summary>Takes over an entry from another cache.</summary>
    /// <exception cref="EntryGoneException">It is there no more.</exception>
    /// <exception cref="InvalidDataException">It is damaged by now.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public LayerEntry Adopt(string name, LayerEntry entry)
    {
        string path = PathOf(name);
        WriteFile(path, entry.CopyTo);
        return LayerEntry.Read(path) ?? throw new EntryGoneException(path);
    }

    private LayerEntry? TryRead(string name, DiagnosticBag diagnostics, out bool damaged)
    {
        string path = PathOf(name);
        damaged = false;
        try
        {
            return LayerEntry.Read(path);
        }
        catch (InvalidDataException exception)
        {
            damaged = true;
            bool removed = !readOnly && TryDelete(path);
            diagnostics.Add(new Diagnostic(Codes.CacheEntryDamaged, Severity.Message,
                $"the cache entry was damaged ({exception.Message}); {(removed ? "it has been removed" : "it stays as it is")}, and the layer is encoded when it is needed",
                path));
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            diagnostics.Add(new Diagnostic(Codes.CacheEntryDamaged, Severity.Message,
                $"the cache entry cannot be read ({exception.Message}); the layer is encoded when it is needed", path));
            return null;
        }
    }

    private static bool TryDelete(string path)
    {
        try
        {
            File.Delete(path);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // in use on a system that locks open files, or not ours
        }
    }

    private static void MarkUsed(string path)
    {
        try
        {
            var now = DateTime.UtcNow;
            // A time in the future is of a clock that was wrong.
            if ((now - File.GetLastWriteTimeUtc(path)).Duration() > UseResolution)
            {
                File.SetLastWriteTimeUtc(path, now);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Not ours: used as it is.
        }
    }

    private string PathOf(string name) => Path.Combine(entries, name[..2], name + Extension);
}
