namespace Compress.Core.Emit;

/// <summary>Writes files so that a reader sees the old content or the new, never a part: to a temporary name, flushed, then renamed.</summary>
public static class AtomicFile
{
    /// <summary>Ends the names of files that are being written.</summary>
    internal const string TemporaryExtension = ".tmp";

    // Between making its file and locking it, a writer has no lock.
    private static readonly TimeSpan Abandoned = TimeSpan.FromSeconds(2);

    // Virus scanners and indexers open files for moments; on Windows that stops a rename.
    private static readonly int[] MillisecondsBetweenTries = [20, 80, 300, 600];

    /// <summary>Replaces a file by what <paramref name="write"/> writes. If that fails, the old file stays as it was.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="durable">False for files that are checked when read, such as cache entries: they need not survive a power cut.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Write(string path, Action<FileStream> write, bool durable = true)
    {
        string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(directory);
        RemoveLeftOvers(path);
        string temporary = Path.Combine(directory, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}{TemporaryExtension}");
        try
        {
            // Open until it has its name, so that it is locked all the time: a left-over is what nobody has open.
            using var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, 1 << 16);
            write(stream);
            stream.Flush(durable);
            Rename(temporary, path);
        }
        catch (ArgumentOutOfRangeException exception) when (exception.ParamName == "value")
        {
            // .NET's way to say EFBIG: FAT32 ends at 4 GiB, and there are limits for users and processes.
            TryDelete(temporary);
            throw new IOException("the file becomes longer than the file system, or a limit of this user, allows", exception);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    /// <summary>Removes what killed processes left behind when they wrote a file.</summary>
    /// <param name="path">The file.</param>
    internal static void RemoveLeftOvers(string path)
    {
        foreach (string leftOver in Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(path))!, $".{Path.GetFileName(path)}.*{TemporaryExtension}"))
        {
            RemoveLeftOver(leftOver);
        }
    }

    /// <summary>The name that a temporary file was to get.</summary>
    internal static string FinalName(string temporary)
    {
        string name = Path.GetFileNameWithoutExtension(temporary); // .NAME.GUID
        return name.LastIndexOf('.') is var end and > 0 ? name[1..end] : name;
    }

    private static void Rename(string temporary, string path)
    {
        foreach (int milliseconds in OperatingSystem.IsWindows() ? MillisecondsBetweenTries : [])
        {
            try
            {
                File.Move(temporary, path, overwrite: true);
                return;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException && File.Exists(path))
            {
                Thread.Sleep(milliseconds);
            }
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Removes a temporary file if nobody writes to it: a killed process left it behind.</summary>
    internal static void RemoveLeftOver(string temporary)
    {
        try
        {
            if ((File.GetLastWriteTimeUtc(temporary) - DateTime.UtcNow).Duration() > Abandoned)
            {
                new FileStream(temporary, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // In use by another process, or not ours: leave it.
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
