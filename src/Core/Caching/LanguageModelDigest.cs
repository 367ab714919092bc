using System.Security.Cryptography;
using Compress.Core.Models;

namespace Compress.Core.Caching;

/// <summary>The digest of all that a language model's predictions follow from.</summary>
internal static class LanguageModelDigest
{
    /// <summary>SHA-256 over the names and contents of all tensors, and the configuration beside them. Reads all of the model.</summary>
    /// <returns>64 lower-case hexadecimal digits.</returns>
    public static string Of(ModelFile source)
    {
        Parallel.ForEach(source.Tensors, tensor =>
        {
            tensor.ContentHash(); // which it remembers
            tensor.ReleasePages();
        });
        using var config = File.OpenRead(Path.Combine(Path.GetDirectoryName(source.Header.Files[0])!, "config.json"));
        return LayerKey.DigestOf(
            source.Header.Tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)
                .SelectMany(tensor => new[] { tensor.Name, Convert.ToHexStringLower(source[tensor.Name].ContentHash()) })
                .Append(Convert.ToHexStringLower(SHA256.HashData(config))));
    }
}
