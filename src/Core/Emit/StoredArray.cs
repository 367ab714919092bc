using Compress.Runtime.Safetensors;

namespace Compress.Core.Emit;

/// <summary>An array to be written into a safetensors file.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The dimensions.</param>
/// <param name="ByteLength">Bytes of all elements.</param>
/// <param name="CopyTo">Writes exactly these bytes.</param>
public sealed record StoredArray(string Name, DType DType, IReadOnlyList<long> Shape, long ByteLength, Action<Stream> CopyTo);
