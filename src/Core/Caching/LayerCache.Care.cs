using System.Globalization;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;

namespace Compress.Core.Caching;

/// <content>What keeps the folder small and sound. Safe beside builds that use it.</content>
public sealed partial class LayerCache
{
    /// <summary>The size that builds keep a cache below if nobody says otherwise: 20 GB.</summary>
    public const long DefaultMaxBytes = 20_000_000_000;

    private const string LastLook = "last-look";

    // Looking means listing all entries, which takes long on a network share.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(10);

    // What a build may spend at its end. What is left over is for the next one.
    private static readonly TimeSpan TidyBudget = TimeSpan.FromSeconds(1);

    private static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };

    /// <summary>Counts the entries and their bytes.</summary>
    public (int Entries, long Bytes) Statistics()
    {
        var all = Entries();
        return (all.Count, all.Sum(entry => entry.Bytes));
    }

    /// <summary>
    /// To be called when the outputs have been written. If this object wrote entries, and nobody looked in the last ten minutes, and the cache holds
    /// more than the limit, removes the least recently used entries until it holds nine tenths of it. Entries that this object used stay, so that a
    /// model larger than the limit does not push itself out. Takes a second at most, and never fails.
    /// </summary>
    public void Tidy(long maxBytes)
    {
        if (readOnly || Volatile.Read(ref unwritable) != 0 || !used.Values.Contains(true))
        {
            return;
        }

        try
        {
            string limit = maxBytes.ToString(CultureInfo.InvariantCulture);
            using var look = new FileStream(Path.Combine(entries, LastLook), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            using var reader = new StreamReader(look);
            bool sameLimit = reader.ReadLine() == limit;
            if (sameLimit && (DateTime.UtcNow - File.GetLastWriteTimeUtc(look.SafeFileHandle)).Duration() < LookInterval)
            {
                return;
            }

            look.SetLength(0);
            look.Write(System.Text.Encoding.ASCII.GetBytes(limit));
            var deadline = DateTime.UtcNow + TidyBudget;
            RemoveLeftOvers();
            if (Statistics().Bytes > maxBytes)
            {
                Trim(maxBytes / 10 * 9, used.ContainsKey, deadline);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another build is at it, or the folder is gone.
        }
    }

    /// <summary>Removes the least recently used entries until no more than so many bytes are left, and what killed processes left behind.</summary>
    /// <returns>Entries and bytes removed.</returns>
    public (int Entries, long Bytes) Trim(long maxBytes)
    {
        RemoveLeftOvers();
        return Trim(maxBytes, _ => false, DateTime.MaxValue);
    }

    /// <summary>Checks every entry and removes those that are damaged, telling <paramref name="report"/> of each.</summary>
    /// <returns>Entries checked and entries removed.</returns>
    public (int Checked, int Damaged) Verify(DiagnosticBag report, CancellationToken cancellationToken)
    {
        int count = 0, damaged = 0;
        foreach (var entry in Entries().Where(entry => entry.IsCurrent).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            bool isThere = TryRead(entry.Name, report, out bool isDamaged) is not null;
            count += isThere || isDamaged ? 1 : 0; // it may have been removed meanwhile
            damaged += isDamaged ? 1 : 0;
        }

        return (count, damaged);
    }

    /// <summary>Removes all entries.</summary>
    /// <returns>Entries and bytes removed.</returns>
    public (int Entries, long Bytes) Clear() => Trim(-1);

    private (int Entries, long Bytes) Trim(long maxBytes, Func<string, bool> spare, DateTime deadline)
    {
        var now = DateTime.UtcNow;
        var all = Entries();
        long left = all.Sum(entry => entry.Bytes);
        (int Entries, long Bytes) removed = (0, 0);
        foreach (var entry in all.OrderBy(entry => entry.LastUse(now)).ThenBy(entry => entry.Name, StringComparer.Ordinal))
        {
            if (left <= maxBytes || DateTime.UtcNow > deadline)
            {
                break;
            }

            if (!(entry.IsCurrent && spare(entry.Name)) && TryDelete(entry.Path))
            {
                left -= entry.Bytes;
                removed = (removed.Entries + 1, removed.Bytes + entry.Bytes);
            }
        }

        return removed;
    }

    // Locks that nobody holds, and files that nobody writes to: their processes were killed. Network shares keep the lock of an entry, and not always
    // that of an open file.
    private void RemoveLeftOvers()
    {
        foreach (var file in Files("*" + EntryLock.Extension))
        {
            if (EntryLock.TryTake(file.FullName[..^EntryLock.Extension.Length], out var held))
            {
                held?.Dispose(); // which removes it
            }
        }

        foreach (string file in Files("*" + AtomicFile.TemporaryExtension).Select(file => file.FullName))
        {
            string entry = Path.Combine(Path.GetDirectoryName(file)!, AtomicFile.FinalName(file));
            if (EntryLock.TryTake(entry, out var held) && held is not null)
            {
                using (held)
                {
                    AtomicFile.RemoveLeftOver(file);
                }
            }
        }
    }

    // Of all versions of the format: what an earlier version of the program wrote takes room too.
    private List<Entry> Entries()
    {
        var found = new List<Entry>();
        foreach (var file in Files("*" + Extension))
        {
            try
            {
                found.Add(new(
                    file.FullName,
                    Path.GetFileNameWithoutExtension(file.Name),
                    file.Length,
                    file.LastWriteTimeUtc,
                    file.FullName.StartsWith(entries + Path.DirectorySeparatorChar, StringComparison.Ordinal)));
            }
            catch (FileNotFoundException)
            {
                // Removed by another process since it was listed.
            }
        }

        return found;
    }

    private List<FileInfo> Files(string pattern)
    {
        var found = new List<FileInfo>();
        try
        {
            if (System.IO.Directory.Exists(directory))
            {
                foreach (var version in new DirectoryInfo(directory).EnumerateDirectories("v*").Where(version => int.TryParse(version.Name[1..], out _)))
                {
                    found.AddRange(version.EnumerateFiles(pattern, Everything));
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Removed by another process.
        }

        return found;
    }

    private sealed record Entry(string Path, string Name, long Bytes, DateTime Written, bool IsCurrent)
    {
        // A time in the future is of a clock that was wrong, and an entry that has not been used since.
        public DateTime LastUse(DateTime now) => Written > now + UseResolution ? DateTime.MinValue : Written;
    }
}
