using System;
using System.Collections.Generic;
using System.Linq;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats;

/// <summary>Gathers the tensors of a header and checks what holds for all formats.</summary>
internal sealed class TensorList(string file)
{
    /// <summary>No real model comes near; it bounds the memory that a hostile header can ask for.</summary>
    public const int MaxTensors = 1_000_000;

    private readonly Dictionary<string, ModelTensor> tensors = new(StringComparer.Ordinal);

    /// <summary>Tensors so far.</summary>
    public int Count => tensors.Count;

    /// <summary>The bytes of all elements.</summary>
    /// <exception cref="ModelFormatException">They are too many for any file.</exception>
    public static long ByteLength(string file, string name, DType type, IReadOnlyList<long> shape)
    {
        long bytes = type.SizeInBytes();
        foreach (long dimension in shape)
        {
            if (dimension < 0 || (dimension != 0 && bytes > long.MaxValue / dimension))
            {
                throw new ModelFormatException(file, $"tensor {Quote.Name(name)} has the shape {Quote.Shape(shape)}, whose product is too large");
            }

            bytes *= dimension;
        }

        return bytes;
    }

    /// <summary>Checks that a number of dimensions is sensible.</summary>
    public static int Dimensions(string file, string name, long count) => count is >= 0 and <= EntryBounds.MaxDimensions
        ? (int)count
        : throw new ModelFormatException(
            file, $"tensor {Quote.Name(name)} has {(ulong)count} dimensions; {EntryBounds.MaxDimensions} are allowed");

    /// <summary>Takes a tensor.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="end">Where in the file the data end that it must lie in.</param>
    /// <exception cref="ModelFormatException">There is one of that name, there are too many, or it is not in the file.</exception>
    public void Add(ModelTensor tensor, long end)
    {
        if (tensor.StoredBytes > end - tensor.Offset)
        {
            throw new ModelFormatException(
                file, $"tensor {Quote.Name(tensor.Name)} {Quote.Shape(tensor.Shape)} has {tensor.StoredBytes} bytes from byte {tensor.Offset}, but the file has {end}: truncated?");
        }

        if (tensors.ContainsKey(tensor.Name))
        {
            throw new ModelFormatException(file, $"tensor {Quote.Name(tensor.Name)} stands twice in it");
        }

        if (tensors.Count == MaxTensors)
        {
            throw new ModelFormatException(file, $"it has more than {MaxTensors} tensors");
        }

        tensors.Add(tensor.Name, tensor);
    }

    /// <summary>All tensors, by name in ordinal order.</summary>
    public List<ModelTensor> Sorted() => [.. tensors.Values.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)];

    /// <summary>The header of a model that is one file.</summary>
    public ModelHeader ToHeader() => new(Sorted(), [file]);
}
