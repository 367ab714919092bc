using System;
using System.Collections.Generic;
using System.Linq;

namespace Compress.Core.Models.Formats;

/// <summary>How the elements of a tensor are stored.</summary>
public enum ElementCoding
{
    /// <summary>One by one, in the tensor's own type.</summary>
    Plain,

    /// <summary>GGUF Q8_0: 32 elements as a half-precision scale and 32 signed bytes.</summary>
    Q8Zero,

    /// <summary>GGUF Q4_0: 32 elements as a half-precision scale and 32 codes of 4 bits.</summary>
    Q4Zero,

    /// <summary>GGUF Q4_K: 256 elements as 8 groups with scales and minimums of 6 bits, and codes of 4 bits.</summary>
    Q4K,

    /// <summary>GGUF Q6_K: 256 elements as 16 groups with scales of 8 bits, and codes of 6 bits.</summary>
    Q6K,

    /// <summary>llama2.c version 2: signed bytes of all elements, then a float scale for each <see cref="TensorLayout.GroupSize"/> of them.</summary>
    GroupedInt8,
}

/// <summary>One axis of a walk over stored elements.</summary>
/// <param name="Length">Steps.</param>
/// <param name="Stride">Stored elements between two steps; not negative.</param>
public readonly record struct Axis(long Length, long Stride);

/// <summary>
/// How the elements of a tensor, in row-major order, are found in its stored bytes: walk the axes, the last one fastest, and decode. Axes that could be one are one.
/// </summary>
public sealed class TensorLayout : IEquatable<TensorLayout>
{
    private TensorLayout(IReadOnlyList<Axis> axes, ElementCoding coding, int groupSize, long storedBytes)
    {
        Axes = axes;
        Coding = coding;
        GroupSize = groupSize;
        StoredBytes = storedBytes;
    }

    /// <summary>The walk, outermost first; at least one axis. Their lengths multiply to the number of elements.</summary>
    public IReadOnlyList<Axis> Axes { get; }

    /// <summary>How the elements are stored.</summary>
    public ElementCoding Coding { get; }

    /// <summary>Elements that share a scale, of <see cref="ElementCoding.GroupedInt8"/>; else 0.</summary>
    public int GroupSize { get; }

    /// <summary>The bytes from the tensor's offset that hold it.</summary>
    public long StoredBytes { get; }

    /// <summary>The layout of that walk, or null if elements simply follow each other.</summary>
    /// <param name="axes">Outermost first; the lengths and strides must not overflow.</param>
    /// <param name="coding">How the elements are stored.</param>
    /// <param name="storedBytes">The bytes that hold them.</param>
    /// <param name="groupSize">Of <see cref="ElementCoding.GroupedInt8"/>.</param>
    public static TensorLayout? Of(IEnumerable<Axis> axes, ElementCoding coding, long storedBytes, int groupSize = 0)
    {
        var joined = new List<Axis>();
        foreach (var axis in axes.Where(axis => axis.Length != 1))
        {
            int last = joined.Count - 1;
            if (last >= 0 && axis.Length != 0 && joined[last].Stride == axis.Length * axis.Stride)
            {
                joined[last] = new(joined[last].Length * axis.Length, axis.Stride);
            }
            else
            {
                joined.Add(axis);
            }
        }

        if (joined.Count == 0 || joined.Any(axis => axis.Length == 0))
        {
            joined = [new(joined.Count == 0 ? 1 : 0, 1)];
        }

        return coding == ElementCoding.Plain && joined.Count == 1 && (joined[0].Stride == 1 || joined[0].Length <= 1)
            ? null
            : new(joined, coding, groupSize, storedBytes);
    }

    /// <inheritdoc/>
    public bool Equals(TensorLayout? other) =>
        other is not null && Coding == other.Coding && GroupSize == other.GroupSize && StoredBytes == other.StoredBytes && Axes.SequenceEqual(other.Axes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TensorLayout);

    /// <inheritdoc/>
    public override int GetHashCode() => StoredBytes.GetHashCode();
}
