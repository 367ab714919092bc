using System.Collections.Generic;

namespace Compress.Runtime.Safetensors;

/// <summary>One tensor of a safetensors header: its name, element type, shape, and where its bytes lie.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The dimensions, outermost first; empty for a scalar.</param>
/// <param name="Offset">Bytes from the start of the file to the first element.</param>
/// <param name="ByteLength">Bytes of all elements.</param>
public sealed record TensorEntry(string Name, DType DType, IReadOnlyList<long> Shape, long Offset, long ByteLength)
{
    /// <summary>The number of elements.</summary>
    public long Count => ByteLength / DType.SizeInBytes();
}
