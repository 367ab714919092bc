namespace Compress.Core.Emit;

/// <summary>Writes files so that a reader sees the old content or the new, never a part: to a temporary name, flushed, then renamed.</summary>
public static class AtomicFile
{
    private const string Suffix = ".tmp";

    // A lock alone does not tell a left-over: a writer holds none between closing its file and renaming it.
    private static readonly TimeSpan Abandoned = TimeSpan.FromHours(1);

    /// <summary>Replaces a file by what <paramref name="write"/> writes. If that fails, the old file stays as it was.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="durable">False for files that are checked when read, such as cache entries: they need not survive a power cut.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Write(string path, Action<Stream> write, bool durable = true)
    {
        string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(directory);
        RemoveLeftOvers(directory, Path.GetFileName(path));
        string temporary = Path.Combine(directory, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}{Suffix}");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(durable);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    // A killed process leaves its temporary file behind. One that is still being written is locked.
    private static void RemoveLeftOvers(string directory, string name)
    {
        foreach (string file in Directory.EnumerateFiles(directory, $".{name}.*{Suffix}"))
        {
            try
            {
                if (File.GetLastWriteTimeUtc(file) < DateTime.UtcNow - Abandoned)
                {
                    using (new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1))
                    {
                        File.Delete(file);
                    }
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // In use by another process, or not ours: leave it.
            }
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The error that led here is the one to report.
        }
    }
}
