using System.Runtime.InteropServices;
using Compress.Runtime;

namespace Compress.Core.Models;

/// <summary>Gives the memory of mapped pages back to the system.</summary>
internal static partial class ResidentPages
{
    private const int MadviseDontNeed = 4; // the same on Linux and macOS
    private const int ChunkBytes = 1 << 30;

    /// <summary>
    /// Takes the pages that lie wholly in the view out of this process; they stay in the file cache. Windows trims working sets by itself.
    /// </summary>
    public static unsafe void Release(ByteView view)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        nuint page = (nuint)Environment.SystemPageSize;
        for (long offset = 0; offset < view.Length; offset += ChunkBytes)
        {
            var chunk = view.Slice(offset, (int)Math.Min(ChunkBytes, view.Length - offset));
            fixed (byte* start = chunk)
            {
                nuint first = ((nuint)start + page - 1) / page * page;
                nuint end = ((nuint)start + (nuint)chunk.Length) / page * page;
                if (end > first)
                {
                    // It only ever is advice: nothing depends on its success.
                    _ = Madvise(first, end - first, MadviseDontNeed);
                }
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(nuint address, nuint length, int advice);
}
