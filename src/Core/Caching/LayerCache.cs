using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Caching;

/// <summary>
/// A folder of encoded tensors, one file per key. Any number of threads and processes may use it at once: entries are complete when
/// they appear, and every byte is checked when one is read.
/// </summary>
/// <param name="directory">The absolute path of the folder; made when first needed.</param>
public sealed class LayerCache(string directory)
{
    private const string Extension = ".layer";
    private static readonly TimeSpan UseResolution = TimeSpan.FromHours(1);

    private readonly string entries = Path.Combine(directory, FormattableString.Invariant($"v{LayerEntry.FormatVersion}"));

    /// <summary>The absolute path of the folder.</summary>
    public string Directory => directory;

    /// <summary>Finds an entry. A damaged one is removed with a warning, and counts as absent.</summary>
    public LayerEntry? TryRead(string key, DiagnosticBag diagnostics)
    {
        string path = PathOf(key);
        try
        {
            var entry = LayerEntry.Read(path);
            if (entry is not null)
            {
                MarkUsed(path);
            }

            return entry;
        }
        catch (InvalidDataException exception)
        {
            diagnostics.Add(new Diagnostic(Codes.CacheEntryDamaged, Severity.Warning,
                $"the cache entry was damaged ({exception.Message}); it has been removed, and the layer is encoded again", path));
            TryDelete(path);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            diagnostics.Add(new Diagnostic(Codes.CacheEntryDamaged, Severity.Warning,
                $"the cache entry cannot be read ({exception.Message}); the layer is encoded again", path));
            return null;
        }
    }

    /// <summary>Writes an entry and opens it.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public LayerEntry Write(string key, EncodedTensor tensor, DType dtype, IReadOnlyList<long> shape, ErrorSums error)
    {
        string path = PathOf(key);
        AtomicFile.Write(path, stream => LayerEntry.Write(stream, tensor, dtype, shape, error), durable: false);
        return LayerEntry.Read(path) ?? throw new IOException($"'{path}' vanished as soon as it was written");
    }

    /// <summary>Counts the entries and their bytes.</summary>
    public (int Entries, long Bytes) Statistics()
    {
        var files = Files().ToList();
        return (files.Count, files.Sum(file => file.Length));
    }

    /// <summary>Removes the least recently used entries until no more than so many bytes are left.</summary>
    /// <returns>Entries and bytes removed.</returns>
    public (int Entries, long Bytes) Trim(long maxBytes)
    {
        long total = 0;
        (int Entries, long Bytes) removed = (0, 0);
        foreach (var file in Files().OrderByDescending(file => file.LastWriteTimeUtc).ThenBy(file => file.Name, StringComparer.Ordinal))
        {
            total += file.Length;
            if (total > maxBytes && TryDelete(file.FullName))
            {
                total -= file.Length;
                removed = (removed.Entries + 1, removed.Bytes + file.Length);
            }
        }

        return removed;
    }

    /// <summary>Checks every entry and removes those that are damaged, telling <paramref name="report"/> of each.</summary>
    /// <returns>Entries checked and entries removed.</returns>
    public (int Checked, int Damaged) Verify(DiagnosticBag report, CancellationToken cancellationToken)
    {
        int count = 0, damaged = 0;
        foreach (var file in Files().OrderBy(file => file.Name, StringComparer.Ordinal).ToList())
        {
            cancellationToken.ThrowIfCancellationRequested();
            count++;
            damaged += TryRead(Path.GetFileNameWithoutExtension(file.Name), report) is null ? 1 : 0;
        }

        return (count, damaged);
    }

    /// <summary>Removes all entries.</summary>
    /// <returns>Entries and bytes removed.</returns>
    public (int Entries, long Bytes) Clear() => Trim(-1);

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

    // The time of the last use, for Trim. Written at most once an hour per entry: a hit should not cost a disk write.
    private static void MarkUsed(string path)
    {
        try
        {
            var now = DateTime.UtcNow;
            if ((now - File.GetLastWriteTimeUtc(path)).Duration() > UseResolution)
            {
                File.SetLastWriteTimeUtc(path, now);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A read-only cache is used as it is.
        }
    }

    private string PathOf(string key) => Path.Combine(entries, key[..2], key + Extension);

    private IEnumerable<FileInfo> Files() =>
        System.IO.Directory.Exists(entries)
            ? new DirectoryInfo(entries).EnumerateFiles("*" + Extension, SearchOption.AllDirectories)
            : [];
}
