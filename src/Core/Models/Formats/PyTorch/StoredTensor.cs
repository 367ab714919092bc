using System;
using System.Collections.Generic;
using System.Linq;
using Compress.Core.Models.Formats.PyTorch.Pickle;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.PyTorch;

/// <summary>Where a tensor lies in its storage: checked, and told apart from one whose elements follow each other.</summary>
internal static class StoredTensor
{
    // An expanded tensor has more elements than are stored. Those of real models are masks; what is larger would be a small file that becomes a huge one.
    private const long MaxExpandedBytes = 64 << 20;

    /// <param name="file">The file.</param>
    /// <param name="name">The tensor's name.</param>
    /// <param name="tensor">What the pickle says of it.</param>
    /// <param name="start">Where the storage begins in the file.</param>
    /// <param name="length">Its bytes.</param>
    /// <exception cref="ModelFormatException">The tensor does not lie in its storage.</exception>
    public static ModelTensor Of(string file, string name, TensorReference tensor, long start, long length)
    {
        var storage = tensor.Storage;
        int size = tensor.DType.SizeInBytes();
        long bytes = TensorList.ByteLength(file, name, tensor.DType, tensor.Shape);
        long stored = length / size;
        if (storage.DType is not null && storage.Count > stored - Math.Min(storage.First, stored))
        {
            throw Bad($"is in the storage {Quote.Name(storage.Key)} of {storage.Count} elements, but the file holds {length} bytes of it: truncated?");
        }

        long last = 0;
        for (int i = 0; i < tensor.Shape.Length && bytes > 0; i++)
        {
            long steps = tensor.Shape[i] - 1;
            if (steps > 0 && tensor.Strides[i] > (stored - last) / steps)
            {
                throw Outside();
            }

            last += steps * tensor.Strides[i];
        }

        long first = storage.First <= stored && tensor.Offset <= stored ? storage.First + tensor.Offset : long.MaxValue;
        if (bytes > 0 && (first > stored || last >= stored - first))
        {
            throw Outside();
        }

        if (bytes > length && bytes > MaxExpandedBytes)
        {
            throw Bad($"has {bytes} bytes, but its storage only {length}: it repeats its elements; save it contiguous");
        }

        var axes = tensor.Shape.Zip(tensor.Strides, (steps, stride) => new Axis(steps, steps > 1 ? stride : 0));
        return new(name, tensor.DType, tensor.Shape, file, bytes == 0 ? start : start + (first * size), bytes)
        {
            Layout = bytes == 0 ? null : TensorLayout.Of(axes, ElementCoding.Plain, (last + 1) * size),
        };

        ModelFormatException Outside() => Bad(
            $"{Quote.Shape(tensor.Shape)} with the strides {Quote.Shape(tensor.Strides)} from element {tensor.Offset} is not inside its storage of {stored} elements");

        ModelFormatException Bad(string what) => new(file, $"tensor {Quote.Name(name)} {what}");
    }
}
