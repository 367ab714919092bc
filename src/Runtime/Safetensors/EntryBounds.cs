namespace Compress.Runtime.Safetensors;

/// <summary>What the format asks of one tensor: its bytes are as many as its shape says, and they are in the file.</summary>
/// <param name="DataOffset">Bytes of the file before its data.</param>
/// <param name="FileLength">Bytes of the file.</param>
internal readonly record struct EntryBounds(long DataOffset, long FileLength)
{
    /// <summary>The format has no such limit. It bounds the memory that a hostile header can ask for; no real model comes near.</summary>
    public const int MaxDimensions = 64;

    /// <summary>The error for a tensor.</summary>
    public static SafetensorsException Bad(string name, string what) => new($"tensor {Quote.Name(name)} {what}");

    /// <summary>The tensor with these properties, as the header states them.</summary>
    /// <exception cref="SafetensorsException">They do not fit each other or the file.</exception>
    public TensorEntry Check(string name, DType type, long[] shape, long begin, long end)
    {
        long bytes = type.SizeInBytes();
        foreach (long dimension in shape)
        {
            if (dimension != 0 && bytes > long.MaxValue / dimension)
            {
                throw Bad(name, $"has the shape {Quote.Shape(shape)}, whose product is too large");
            }

            bytes *= dimension;
        }

        long dataLength = FileLength - DataOffset;
        if (begin > end)
        {
            throw Bad(name, $"has the data_offsets [{begin}, {end}], which end before they begin");
        }

        if (end - begin != bytes)
        {
            throw Bad(name, $"has {end - begin} bytes (data_offsets [{begin}, {end}]), expected {bytes} for {type.Name()} {Quote.Shape(shape)}");
        }

        if (end > dataLength)
        {
            throw Bad(name, $"ends at byte {end} of the data, but the file has {dataLength} bytes of data: truncated?");
        }

        return new TensorEntry(name, type, shape, DataOffset + begin, bytes);
    }
}
