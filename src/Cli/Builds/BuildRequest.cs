using System.Text.Json;
using Compress.Core.Caching;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Builds;

/// <summary>What the package's MSBuild task asks of the program. All paths are absolute.</summary>
/// <param name="Models">The models to compress.</param>
/// <param name="Cache">The folder of the layer cache, or null for the default one.</param>
/// <param name="CacheMode">What may be done with it.</param>
/// <param name="CacheMaxBytes">The size that it is kept below.</param>
/// <param name="CacheSalt">Keeps its entries apart from those of other salts.</param>
/// <param name="Threads">Layers encoded at once; 0 for one per processor.</param>
/// <param name="Force">Encode every layer anew.</param>
/// <param name="Explain">Say why layers are encoded.</param>
/// <param name="Page">The page to write about the models, or null.</param>
/// <param name="Parent">The process id of the build: when that ends, so does the work. Null if nobody is to be watched.</param>
internal sealed record BuildRequest(
    IReadOnlyList<BuildModel> Models,
    string? Cache = null,
    CacheMode CacheMode = CacheMode.ReadWrite,
    long CacheMaxBytes = LayerCache.DefaultMaxBytes,
    string CacheSalt = "",
    int Threads = 0,
    bool Force = false,
    bool Explain = false,
    string? Page = null,
    int? Parent = null)
{
    /// <summary>Reads a request.</summary>
    /// <exception cref="CompressException">It cannot be read, or is not well-formed.</exception>
    public static BuildRequest Read(string path)
    {
        byte[] bytes = Failures.Reading(path, () => File.ReadAllBytes(path));
        try
        {
            return JsonSerializer.Deserialize(bytes, JsonForms.Default.BuildRequest) ?? throw new JsonException("it is null");
        }
        catch (JsonException exception)
        {
            throw new CompressException(Codes.ArgumentInvalid, $"this is not a build request: {exception.Message}", path, exception);
        }
    }
}

/// <summary>One model of a <see cref="BuildRequest"/>.</summary>
/// <param name="Model">The source model.</param>
/// <param name="Recipe">The recipe, or null to look it up beside the model.</param>
/// <param name="Output">The packed model to write.</param>
/// <param name="Report">The JSON report to write.</param>
/// <param name="Record">The <see cref="InputRecord"/> to write.</param>
internal sealed record BuildModel(string Model, string? Recipe, string Output, string Report, string Record);
