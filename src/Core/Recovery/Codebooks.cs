using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Compress.Core.Numerics;
using Compress.Runtime.Codecs;
using Compress.Runtime.Codecs.Crvq;

namespace Compress.Core.Recovery;

/// <summary>Tensors of <c>aqlm</c> and <c>crvq</c>: the scales of rows, and the vectors of codebooks, whose gradients are summed over all groups that have their codes.</summary>
internal sealed class Codebooks : Trainable
{
    private readonly StoredTensor stored;
    private readonly AdditiveCodes codes;
    private readonly int[] order;    // of the columns, as codes have them
    private readonly int[] starts;   // of each codebook's vectors among the numbers; the scales come first
    private readonly int rows, columns;
    private readonly float unit;

    public Codebooks(StoredTensor stored, int rows, int columns)
    {
        (this.stored, this.rows, this.columns) = (stored, rows, columns);
        int size = stored.Int("groupSize"), groups = (columns + size - 1) / size, entries = stored.Int("entries"), count = stored.Int("codebooks");
        bool relaxed = stored.Codec == "crvq";
        int critical = relaxed ? stored.Int("criticalGroups") : groups, extended = relaxed ? stored.Int("extendedEntries") : entries;
        codes = new(stored.Parts(), rows, groups, critical, count, entries, extended, size);
        order = Order(critical * size);
        unit = MathF.ScaleB(1, stored.Int("scaleExponent"));
        float[] scales = Array.ConvertAll(stored.Halves("scales"), half => half * unit), vectors = stored.Halves("codebooks");
        Start = [.. scales, .. vectors];
        starts = [.. Enumerable.Range(0, count + 1).Select(book => rows + (size * (book == 0 ? 0 : entries + ((book - 1) * extended))))];
        Units = [.. scales, .. Enumerable.Range(0, count).SelectMany(book => Sizes(Start.AsSpan(starts[book]..starts[book + 1])))];
    }

    public override float[] Start { get; }

    public override float[] Units { get; }

    public override int WeightCount => rows * columns;

    public override void Weights(ReadOnlySpan<float> values, Span<float> weights)
    {
        float[] sums = new float[codes.PaddedColumns];
        byte[] buffer = new byte[codes.Groups];
        for (int row = 0; row < rows; row++)
        {
            Sum(values, row, sums, buffer);
            for (int i = 0; i < columns; i++)
            {
                weights[(row * columns) + order[i]] = values[row] * sums[i];
            }
        }
    }

    public override void AddGradient(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> gradient)
    {
        float[] sums = new float[codes.PaddedColumns], slope = new float[codes.PaddedColumns];
        byte[] buffer = new byte[codes.Groups];
        for (int row = 0; row < rows; row++)
        {
            for (int i = 0; i < columns; i++)
            {
                slope[i] = weights[(row * columns) + order[i]];
            }

            Sum(values, row, sums, buffer);
            gradient[row] += FixedOrder.Dot(sums, slope);
            TensorPrimitives.Multiply(slope, values[row], slope);
            for (int book = 0; book < codes.Count; book++)
            {
                var chosen = codes.Codes(book, row, 0, buffer.AsSpan(0, codes.GroupsOf(book)));
                for (int group = 0; group < codes.GroupsOf(book); group++)
                {
                    var vector = gradient.Slice(starts[book] + (chosen[group] * codes.GroupSize), codes.GroupSize);
                    TensorPrimitives.Add(vector, slope.AsSpan(group * codes.GroupSize, codes.GroupSize), vector);
                }
            }
        }
    }

    public override IEnumerable<(string Array, byte[] Bytes)> Write(ReadOnlySpan<float> values)
    {
        float[] halves = new float[rows];
        for (int row = 0; row < rows; row++)
        {
            halves[row] = Math.Max(values[row], 0) / unit;
        }

        return [(stored.NameOf("scales"), StoredTensor.Halved(halves)), (stored.NameOf("codebooks"), StoredTensor.Halved(values[rows..]))];
    }

    private void Sum(ReadOnlySpan<float> values, int row, Span<float> sums, Span<byte> buffer)
    {
        sums.Clear();
        for (int book = 0; book < codes.Count; book++)
        {
            var chosen = codes.Codes(book, row, 0, buffer[..codes.GroupsOf(book)]);
            for (int group = 0; group < codes.GroupsOf(book); group++)
            {
                var sum = sums.Slice(group * codes.GroupSize, codes.GroupSize);
                TensorPrimitives.Add(sum, values.Slice(starts[book] + (chosen[group] * codes.GroupSize), codes.GroupSize), sum);
            }
        }
    }

    private int[] Order(int critical)
    {
        if (!stored.Has("critical"))
        {
            return [.. Enumerable.Range(0, columns)];
        }

        byte[] bytes = stored.Part("critical");
        int[] first = bytes.Length == critical * sizeof(ushort)
            ? [.. MemoryMarshal.Cast<byte, ushort>(bytes).ToArray().Select(column => (int)column)]
            : MemoryMarshal.Cast<byte, int>(bytes).ToArray();
        return [.. first, .. Enumerable.Range(0, columns).Except(first)];
    }

    // A vector's numbers are of the size of its codebook's.
    private static float[] Sizes(ReadOnlySpan<float> vectors)
    {
        float[] sizes = new float[vectors.Length];
        Array.Fill(sizes, vectors.Length == 0 ? 0 : MathF.Sqrt(FixedOrder.Dot(vectors, vectors) / vectors.Length));
        return sizes;
    }
}
