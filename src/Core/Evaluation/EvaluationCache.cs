using System.Text.Json;
using System.Text.Json.Serialization;
using Compress.Core.Caching;
using Compress.Core.Emit;

namespace Compress.Core.Evaluation;

/// <summary>
/// Results of evaluations in a folder, named by the content of all that determines them: models, and windows of tokens (so text, tokenizer
/// and settings too). One that is damaged, or cannot be written, is computed again.
/// </summary>
/// <param name="directory">The absolute path of the layer cache's folder.</param>
/// <param name="readOnly">True to write nothing.</param>
public sealed class EvaluationCache(string directory, bool readOnly = false)
{
    private const string FolderPrefix = "evaluations-v";

    // To be counted up when the forward pass computes something else.
    private const int Version = 2;

    // What a destroyed model predicts may be no number.
    private static readonly JsonSerializerOptions Options = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private readonly string folder = Path.Combine(directory, FormattableString.Invariant($"{FolderPrefix}{Version}"));

    /// <summary>Takes a result from the cache, or computes and stores it.</summary>
    /// <param name="kind">What is measured.</param>
    /// <param name="digests">Digests of all that determines it.</param>
    /// <param name="compute">Measures it.</param>
    public T Get<T>(string kind, IEnumerable<string> digests, Func<T> compute)
        where T : struct
    {
        if (Find<T>(kind, digests) is { } found)
        {
            return found;
        }

        var result = compute();
        Put(kind, digests, result);
        return result;
    }

    /// <summary>A result, if it is in the cache.</summary>
    /// <param name="kind">What is measured.</param>
    /// <param name="digests">Digests of all that determines it.</param>
    public T? Find<T>(string kind, IEnumerable<string> digests)
        where T : struct => Read<T>(PathOf(kind, digests));

    /// <summary>Stores a result.</summary>
    /// <param name="kind">What was measured.</param>
    /// <param name="digests">Digests of all that determines it.</param>
    /// <param name="result">The result.</param>
    public void Put<T>(string kind, IEnumerable<string> digests, T result)
        where T : struct
    {
        if (readOnly)
        {
            return;
        }

        try
        {
            AtomicFile.Write(PathOf(kind, digests), stream => JsonSerializer.Serialize(stream, result, Options), durable: false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The layer cache, in the same folder, says so once.
        }
    }

    /// <summary>Counts the results and their bytes, those of other versions too.</summary>
    public (int Results, long Bytes) Statistics()
    {
        (int Results, long Bytes) found = (0, 0);
        foreach (var file in Files())
        {
            try
            {
                found = (found.Results + 1, found.Bytes + file.Length);
            }
            catch (FileNotFoundException)
            {
                // Removed by another process since it was listed.
            }
        }

        return found;
    }

    /// <summary>Removes all results.</summary>
    /// <returns>Results and bytes removed.</returns>
    public (int Results, long Bytes) Clear()
    {
        (int Results, long Bytes) removed = (0, 0);
        foreach (var file in Files())
        {
            try
            {
                long bytes = file.Length;
                file.Delete();
                removed = (removed.Results + 1, removed.Bytes + bytes);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // In use on a system that locks open files, or not ours.
            }
        }

        return removed;
    }

    private string PathOf(string kind, IEnumerable<string> digests) => Path.Combine(folder, LayerKey.DigestOf([kind, .. digests]) + ".json");

    private List<FileInfo> Files()
    {
        try
        {
            return [.. new DirectoryInfo(directory).EnumerateDirectories(FolderPrefix + "*").SelectMany(version => version.EnumerateFiles("*.json"))];
        }
        catch (DirectoryNotFoundException)
        {
            return []; // there is no cache yet, or another process removed it
        }
    }

    private static T? Read<T>(string path)
        where T : struct
    {
        try
        {
            return JsonSerializer.Deserialize<T?>(File.ReadAllBytes(path), Options);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}
