namespace Compress.Core.Models.Formats;

/// <summary>Sizes of the blocks in which codings store elements.</summary>
internal static class ElementCodings
{
    /// <summary>Elements of a block; 1 where there are none.</summary>
    public static int BlockElements(this ElementCoding coding) => coding switch
    {
        ElementCoding.Q8Zero or ElementCoding.Q4Zero => 32,
        ElementCoding.Q4K or ElementCoding.Q6K => 256,
        _ => 1,
    };

    /// <summary>Bytes of a block of GGUF.</summary>
    public static int BlockBytes(this ElementCoding coding) => coding switch
    {
        ElementCoding.Q8Zero => 2 + 32,
        ElementCoding.Q4Zero => 2 + 16,
        ElementCoding.Q4K => 2 + 2 + 12 + 128,
        ElementCoding.Q6K => 128 + 64 + 16 + 2,
        _ => 0,
    };
}
