using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;

namespace Compress.Tasks;

/// <summary>
/// What something was made from, as a small text file: a line of settings, then a line for each file with its length and the time of
/// its last change. Equality decides, never "newer than": a model may well be replaced by an older file.
/// </summary>
internal static class Fingerprint
{
    // How far apart two changes must be to differ in their time: file systems keep ticks, or whole seconds (FAT: every other one).
    private static readonly TimeSpan FineGrain = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan CoarseGrain = TimeSpan.FromSeconds(2);

    /// <summary>Null if the file was written for these settings and every file that it lists is as it was; else what is different.</summary>
    public static string? Difference(string fingerprintFile, string settings)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(fingerprintFile);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "nothing is known of an earlier build";
        }

        if (lines.Length < 2 || lines[0] != settings)
        {
            return "the package, the recipe that applies, or CompressCacheSalt is another one";
        }

        for (int i = 1; i < lines.Length; i++)
        {
            int tab = lines[i].IndexOf('\t');
            if (tab < 0 || Line(lines[i].Substring(0, tab)) != lines[i])
            {
                return tab < 0 ? "the record of the last build is damaged" : $"'{lines[i].Substring(0, tab)}' has changed";
            }
        }

        return null;
    }

    /// <summary>The files that a fingerprint lists; none if it cannot be read.</summary>
    public static IReadOnlyList<string> Files(string fingerprintFile)
    {
        try
        {
            return [.. File.ReadAllLines(fingerprintFile).Skip(1).Select(line => line.Split('\t')[0])];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The lines of the files, as they are now.</summary>
    public static string[] Take(IEnumerable<string> files) => files.Distinct(StringComparer.Ordinal).Select(Line).ToArray();

    /// <summary>Writes a fingerprint, unless it is what stands there already.</summary>
    public static void Write(string fingerprintFile, string settings, IEnumerable<string> lines) =>
        TextFile.WriteIfDifferent(fingerprintFile, string.Join("\n", new[] { settings }.Concat(lines)) + "\n");

    /// <summary>
    /// True if the file was changed so shortly before a moment, or since, that another change would not show in its time.
    /// A time in the future says nothing of the kind: it comes from another clock.
    /// </summary>
    public static bool IsTooFresh(string file, DateTime momentUtc)
    {
        DateTime changed = File.GetLastWriteTimeUtc(file);
        TimeSpan grain = changed.Ticks % TimeSpan.TicksPerSecond == 0 ? CoarseGrain : FineGrain;
        return changed > momentUtc - grain && changed <= DateTime.UtcNow;
    }

    /// <summary>The line of one file, as it is now.</summary>
    public static string Line(string path)
    {
        // A folder's time changes when files come and go in it.
        FileSystemInfo info = new FileInfo(path);
        info = info.Exists ? info : new DirectoryInfo(path);
        info = info.Exists && (info.Attributes & FileAttributes.ReparsePoint) != 0 ? LinkTarget(info) : info;

        string state = !info.Exists ? "absent"
            : info is FileInfo file ? Number(file.Length) + "\t" + Number(file.LastWriteTimeUtc.Ticks)
            : "folder\t" + Number(info.LastWriteTimeUtc.Ticks);
        return path + "\t" + state;
    }

    // A link has a length and a time of its own. .NET Framework cannot follow links, and Windows has few.
    private static FileSystemInfo LinkTarget(FileSystemInfo info)
    {
        try
        {
            MethodInfo? resolve = typeof(FileSystemInfo).GetMethod("ResolveLinkTarget", [typeof(bool)]);
            return resolve?.Invoke(info, [true]) is FileSystemInfo target ? target : info;
        }
        catch (TargetInvocationException)
        {
            return info; // a circle of links, or one that may not be read
        }
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
