using System.Collections.Generic;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats;

/// <summary>One tensor of a source model: what it is and where its bytes lie.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The dimensions, outermost first.</param>
/// <param name="File">The absolute path of the file that holds it.</param>
/// <param name="Offset">Bytes from the start of that file.</param>
/// <param name="ByteLength">Bytes of all elements in their type, one after the other.</param>
public sealed record ModelTensor(string Name, DType DType, IReadOnlyList<long> Shape, string File, long Offset, long ByteLength)
{
    /// <summary>How the file holds the elements; null if one after the other, in row-major order.</summary>
    public TensorLayout? Layout { get; init; }

    /// <summary>Bytes that it takes in the file, from <see cref="Offset"/>.</summary>
    public long StoredBytes => Layout?.StoredBytes ?? ByteLength;
}

/// <summary>What a source model holds. Reading it touches no weights. This folder is also compiled into the MSBuild task.</summary>
/// <param name="Tensors">All tensors, by name in ordinal order.</param>
/// <param name="Files">The absolute paths of all files that the model consists of, the one that was named first.</param>
public sealed record ModelHeader(IReadOnlyList<ModelTensor> Tensors, IReadOnlyList<string> Files);
