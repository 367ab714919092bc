namespace Compress.Runtime;

/// <summary>Names that the packed container uses; docs/format.md describes it.</summary>
internal static class PackedFormat
{
    /// <summary>The key in <c>__metadata__</c> whose value is the JSON that describes the packed tensors.</summary>
    public const string MetadataKey = "compress";

    /// <summary>The version of the container. A reader refuses any other.</summary>
    public const int Version = 1;

    /// <summary>The parameter that names, with spaces between, those arrays of codes that are entropy-coded.</summary>
    public const string EntropyKey = "entropy";

    /// <summary>Stands between a tensor's name and its part's. No tensor's own name contains it.</summary>
    public const string Separator = "::";

    /// <summary>The name of one stored array of a packed tensor, such as <c>lm_head.weight::codes</c>.</summary>
    public static string PartName(string tensor, string part) => tensor + Separator + part;

    /// <summary>The name of a table that several tensors share, such as <c>::grid.p2n256</c>.</summary>
    public static string SharedName(string table) => Separator + table;
}
