using Compress.Core.Diagnostics;
using Compress.Core.Models.Formats;

namespace Compress.Cli;

/// <summary>Turns exceptions into what the user is told.</summary>
internal static class Failures
{
    private const int DiskFullUnix = 28; // ENOSPC; .NET puts errno into HResult
    private const int DiskFullWindows = unchecked((int)0x80070070); // ERROR_DISK_FULL

    /// <summary>The diagnostic for an exception that ended a command.</summary>
    public static Diagnostic Describe(Exception exception) => exception switch
    {
        CompressException known => known.Diagnostic,
        AggregateException { InnerExceptions: [var first, ..] } => Describe(first),
        ModelFormatException malformed => new(Codes.ModelMalformed, Severity.Error, malformed.Message, malformed.File),
        OutOfMemoryException => new(Codes.OutOfMemory, Severity.Error,
            "the memory of this machine does not suffice; use fewer threads (--threads, CompressMaxParallelism)"),
        IOException or UnauthorizedAccessException => new(Codes.FileAccess, Severity.Error, exception.Message),
        _ => new(Codes.Internal, Severity.Error,
            $"unexpected {exception.GetType().Name}: {exception.Message}; this is a fault of compress: please report it, with what '--verbose' shows"),
    };

    /// <summary>Writes a file, and says which one if that fails.</summary>
    /// <exception cref="CompressException">It cannot be written.</exception>
    public static void Writing(string path, string what, Action write)
    {
        try
        {
            write();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CompressException(Codes.OutputNotWritable, $"{what} cannot be written: {Reason(exception)}", path, exception);
        }
    }

    /// <summary>Reads a file, and says which one if that fails.</summary>
    /// <exception cref="CompressException">It cannot be read.</exception>
    public static T Reading<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            string reason = Directory.Exists(path) ? "this is a folder; a file is expected"
                : exception is FileNotFoundException or DirectoryNotFoundException ? "there is no such file"
                : $"the file cannot be read: {exception.Message}";
            throw new CompressException(Codes.ModelNotReadable, reason, path, exception);
        }
    }

    private static string Reason(Exception exception) =>
        exception.HResult is DiskFullUnix or DiskFullWindows ? "the disk is full; free some space" : exception.Message;
}
