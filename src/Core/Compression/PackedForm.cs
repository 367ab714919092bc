using Compress.Core.Emit;
using Compress.Runtime;

namespace Compress.Core.Compression;

/// <summary>Opens one tensor of a packed model before there is one.</summary>
internal static class PackedForm
{
    /// <summary>The tensor as an application would see it.</summary>
    /// <exception cref="Caching.EntryGoneException">Somebody removed the cache entry that it is in.</exception>
    public static PackedTensor Open(PackedEntry entry)
    {
        using var stream = new MemoryStream();
        PackedContainer.Write(stream, [entry], new Dictionary<string, string>());
        return PackedModel.FromBytes(stream.ToArray())[entry.Name];
    }
}
