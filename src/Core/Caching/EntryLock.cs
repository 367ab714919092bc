using System.Collections.Concurrent;

namespace Compress.Core.Caching;

/// <summary>
/// The right to compute one entry: a file that one process at a time has open. It ends with the process, however that ends. What one leaves behind
/// when it is killed is an empty file that the next to come takes over.
/// </summary>
internal static class EntryLock
{
    public const string Extension = ".lock";

    // Closed when the program exits in the middle of its work: no finalizers run then.
    private static readonly ConcurrentDictionary<Held, bool> Mine = CloseAtExit();

    // EAGAIN of Linux, EAGAIN of macOS, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION: .NET hands on what the system says.
    private static readonly int[] Busy = [11, 35, unchecked((int)0x80070020), unchecked((int)0x80070021)];

    /// <summary>Takes the lock of an entry.</summary>
    /// <param name="entryPath">The entry's path; its folder is made.</param>
    /// <param name="held">Gives the lock back when disposed. Null if it is another's, or if locks cannot be had here.</param>
    /// <returns>
    /// False if somebody else has it. Two may seldom have one at a time, where one gives it back while another is opening it; so whoever gets it
    /// looks first whether the entry is there by now.
    /// </returns>
    public static bool TryTake(string entryPath, out IDisposable? held)
    {
        held = null;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(entryPath)!);
            held = new Held(new FileStream(
                entryPath + Extension, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose));
            return true;
        }
        catch (IOException exception) when (Busy.Contains(exception.HResult))
        {
            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return true; // A folder without locks: the work may be done twice, its result is the same.
        }
    }

    /// <summary>Removes a lock that nobody has from beside an entry that is there: its process was killed when it had just written it.</summary>
    /// <param name="entryPath">The entry's path.</param>
    public static void RemoveLeftOver(string entryPath)
    {
        if (File.Exists(entryPath + Extension) && TryTake(entryPath, out var held))
        {
            held?.Dispose();
        }
    }

    private static ConcurrentDictionary<Held, bool> CloseAtExit()
    {
        var mine = new ConcurrentDictionary<Held, bool>();
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            foreach (var held in mine.Keys)
            {
                held.Dispose();
            }
        };
        return mine;
    }

    private sealed class Held : IDisposable
    {
        private readonly FileStream file;

        public Held(FileStream file)
        {
            this.file = file;
            Mine[this] = true;
        }

        public void Dispose()
        {
            Mine.TryRemove(this, out _);
            file.Dispose();
        }
    }
}
