using Compress.Core.Caching;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Compression;

/// <summary>Writes the packed file, unless the one that is there is already the same.</summary>
internal static class PackedOutput
{
    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="results">All tensors.</param>
    /// <param name="examine">Looks at the finished file before it takes its place; what it throws leaves the old one there. May be null.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>True if it was already there: it was not touched.</returns>
    /// <exception cref="CompressException">It cannot be written.</exception>
    /// <exception cref="InvalidDataException">What it was to hold cannot be opened; the old file stays.</exception>
    /// <exception cref="EntryGoneException">Somebody removed a cache entry since it was found.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static bool Write(string path, IReadOnlyList<TensorResult> results, Action<string>? examine, CancellationToken cancellationToken)
    {
        string digest = Digest(results);
        if (IsThere(path, digest))
        {
            examine?.Invoke(path);
            AtomicFile.RemoveLeftOvers(path);
            return true;
        }

        try
        {
            AtomicFile.Write(path, stream =>
            {
                PackedContainer.WriteWithChecksum(stream, results.Select(result => result.Entry), Metadata(digest), cancellationToken);
                stream.Flush();
                CheckOpens(stream.Name, results);
                examine?.Invoke(stream.Name);
            });
            return false;
        }
        catch (EntryGoneException)
        {
            throw;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CompressException(Codes.OutputNotWritable, $"the packed model cannot be written: {exception.Message}", path, exception);
        }
    }

    /// <summary>The length in bytes of the file that <see cref="Write"/> would write.</summary>
    public static long Length(IReadOnlyList<TensorResult> results) => PackedContainer.Length(results.Select(result => result.Entry), Metadata(Digest(results)));

    private static string Digest(IReadOnlyList<TensorResult> results) =>
        LayerKey.DigestOf(results.SelectMany(result => result.Recovered.Length == 0 ? new[] { result.Entry.Name, result.Key.Digest } : [result.Entry.Name, result.Key.Digest, result.Recovered]));

    private static Dictionary<string, string> Metadata(string digest) => new() { [PackedContainer.DigestKey] = digest };

    // As an application will open it. A cache entry with a good checksum may still come from a program that is broken or wicked.
    private static void CheckOpens(string path, IReadOnlyList<TensorResult> results)
    {
        try
        {
            using var model = PackedModel.OpenFile(path);
            foreach (var result in results)
            {
                _ = model[result.Entry.Name];
            }
        }
        catch (Exception exception) when (exception is SafetensorsException or KeyNotFoundException)
        {
            throw new InvalidDataException(exception.Message, exception);
        }
    }

    // The header check of an opened file includes that all of its data is there.
    private static bool IsThere(string path, string digest)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using var model = PackedModel.OpenFile(path);
            return model.Metadata.TryGetValue(PackedContainer.DigestKey, out string? found) && found == digest;
        }
        catch (Exception exception) when (exception is SafetensorsException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
