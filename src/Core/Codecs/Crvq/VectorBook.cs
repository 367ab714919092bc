using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Compress.Core.Codecs.Crvq;

/// <summary>A codebook, turned so that eight of its vectors are compared at a time.</summary>
internal sealed class VectorBook
{
    private readonly float[] values; // [groupSize, padded]
    private readonly int padded;

    /// <param name="vectors"><c>[count, groupSize]</c>.</param>
    /// <param name="groupSize">Length of a vector.</param>
    public VectorBook(ReadOnlySpan<float> vectors, int groupSize)
    {
        (GroupSize, Count) = (groupSize, vectors.Length / groupSize);
        padded = (Count + 7) / 8 * 8;
        values = new float[padded * groupSize];
        for (int i = 0; i < vectors.Length; i++)
        {
            values[(i % groupSize * padded) + (i / groupSize)] = vectors[i];
        }
    }

    /// <summary>Vectors.</summary>
    public int Count { get; }

    /// <summary>Length of a vector.</summary>
    public int GroupSize { get; }

    /// <summary>Floats of <see cref="Norms"/> and <see cref="Scores"/>: vectors, filled up.</summary>
    public int Padded => padded;

    /// <summary><c>c B cᵀ</c> of every vector c; infinite where there is none.</summary>
    /// <param name="block">B, <c>[GroupSize, GroupSize]</c>.</param>
    /// <param name="norms">Receives <see cref="Padded"/> floats.</param>
    public void Norms(ReadOnlySpan<float> block, Span<float> norms)
    {
        Span<float> vector = stackalloc float[GroupSize];
        for (int entry = 0; entry < padded; entry++)
        {
            for (int k = 0; k < GroupSize; k++)
            {
                vector[k] = values[(k * padded) + entry];
            }

            norms[entry] = entry < Count ? Quadratic.Form(block, vector) : float.PositiveInfinity;
        }
    }

    /// <summary>The first c of least <c>factor · norm(c) − ⟨c, a⟩</c>.</summary>
    public int Nearest(ReadOnlySpan<float> a, float factor, ReadOnlySpan<float> norms)
    {
        var (least, entries) = (Vector256.Create(float.PositiveInfinity), Vector256<int>.Zero);
        var entry = Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7);
        for (int i = 0; i < padded; i += 8)
        {
            var score = Score(i, a, factor, norms);
            var less = Vector256.LessThan(score, least);
            least = Vector256.ConditionalSelect(less, score, least);
            entries = Vector256.ConditionalSelect(less.AsInt32(), entry, entries);
            entry += Vector256.Create(8);
        }

        int best = 0;
        for (int lane = 1; lane < 8; lane++)
        {
            best = least[lane] < least[best] || (least[lane] == least[best] && entries[lane] < entries[best]) ? lane : best;
        }

        return entries[best];
    }

    /// <summary><c>factor · norm(c) − ⟨c, a⟩</c> of every vector.</summary>
    public void Scores(ReadOnlySpan<float> a, float factor, ReadOnlySpan<float> norms, Span<float> scores)
    {
        for (int i = 0; i < padded; i += 8)
        {
            Score(i, a, factor, norms).CopyTo(scores[i..]);
        }
    }

    private Vector256<float> Score(int entry, ReadOnlySpan<float> a, float factor, ReadOnlySpan<float> norms)
    {
        ref float from = ref values[entry];
        var products = Vector256<float>.Zero;
        for (int k = 0; k < a.Length; k++)
        {
            products += Vector256.Create(a[k]) * Vector256.LoadUnsafe(ref from, (nuint)(k * padded));
        }

        return (Vector256.Create(factor) * Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(norms), (nuint)entry)) - products;
    }
}
