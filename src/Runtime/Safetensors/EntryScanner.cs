using System;
using System.Runtime.CompilerServices;

namespace Compress.Runtime.Safetensors;

/// <summary>
/// Reads the entries of tensors as writers write them, several times as fast as <see cref="EntryReader"/>:
/// <code>"fc.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}</code>
/// </summary>
internal sealed class EntryScanner(EntryBounds bounds)
{
    private readonly long[] dimensions = new long[EntryBounds.MaxDimensions];
    private readonly long[] offsets = new long[2];

    /// <summary>Reads the next member of the header; null if it is not the usual entry of a tensor.</summary>
    /// <exception cref="SafetensorsException">It is, but it does not fit the file.</exception>
    [MethodImpl(JsonScanner.Optimized)]
    public TensorEntry? TryScan(ref JsonScanner json)
    {
        if (!json.TryText(out var name) || name.SequenceEqual(HeaderParser.MetadataName) || !json.Take(":{"u8))
        {
            return null;
        }

        DType? type = null;
        long[]? shape = null;
        bool hasOffsets = false;
        do
        {
            if (type is null && json.Take("\"dtype\":"u8))
            {
                type = json.TryText(out var text) ? DTypes.Find(text) : null;
                if (type is null)
                {
                    return null;
                }
            }
            else if (shape is null && json.Take("\"shape\":"u8) && json.TryNumbers(dimensions, out int count))
            {
                shape = dimensions.AsSpan(0, count).ToArray();
            }
            else if (hasOffsets || !json.Take("\"data_offsets\":"u8) || !json.TryNumbers(offsets, out count) || count != 2)
            {
                return null;
            }
            else
            {
                hasOffsets = true;
            }
        }
        while (json.Take(","u8));

        return type is { } known && shape is not null && hasOffsets && json.Take("}"u8)
            ? bounds.Check(JsonScanner.Ascii(name), known, shape, offsets[0], offsets[1])
            : null;
    }
}
