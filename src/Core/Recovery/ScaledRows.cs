using System.Numerics.Tensors;
using Compress.Core.Numerics;
using Compress.Runtime.Codecs;
using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;

namespace Compress.Core.Recovery;

/// <summary>
/// Tensors whose weights are numbers that do not change times scales: of <c>uniform</c>, and, rotated, of <c>higgs</c> and <c>cvxq</c>. The gradient of a scale is the product of what
/// it scales with the gradient of the weights, rotated alike.
/// </summary>
internal sealed class ScaledRows : Trainable
{
    private readonly StoredTensor stored;
    private readonly float[] unscaled; // [rows, columns]
    private readonly int rows, columns, groupSize, groups;
    private readonly bool shared;
    private readonly Rotation? rotation;
    private readonly float unit;

    private ScaledRows(StoredTensor stored, int rows, int columns, int groupSize, bool shared, Rotation? rotation)
    {
        (this.stored, this.rows, this.columns, this.groupSize, this.shared, this.rotation) = (stored, rows, columns, groupSize, shared, rotation);
        groups = CodeMatrix.GroupCount(columns, groupSize);
        unscaled = new float[checked(rows * columns)];
        stored.WithoutScales().Dequantize(unscaled);
        for (int row = 0; row < rows && rotation is { } turned; row++)
        {
            turned.Apply(Row(unscaled, row));
        }

        unit = MathF.ScaleB(1, stored.Int("scaleExponent"));
        Start = Array.ConvertAll(stored.Halves("scales"), half => half * unit);
    }

    public override float[] Start { get; }

    public override float[] Units => Start;

    public override int WeightCount => unscaled.Length;

    /// <summary>Of a <c>higgs</c> tensor.</summary>
    public static ScaledRows OfHiggs(StoredTensor stored, Emit.PackedEntry entry, int rows, int columns)
    {
        int p = stored.Int("p"), groupSize = stored.Int("groupSize");
        return new(stored, rows, columns, CodeMatrix.CodeCount(groupSize, p) * p, false, new Rotation(columns, groupSize, stored.Seed)) { Entry = entry };
    }

    /// <summary>Of a <c>cvxq</c> tensor whose groups are parts of rows; null of others.</summary>
    public static ScaledRows? OfCvxq(StoredTensor stored, Emit.PackedEntry entry, int rows, int columns)
    {
        int groupSize = stored.Int("groupSize");
        return stored.HasParameter("grouping") ? null
            : new(stored, rows, columns, groupSize, false, stored.Text("quantizer") == "normal" ? new Rotation(columns, groupSize, stored.Seed) : null) { Entry = entry };
    }

    /// <summary>Of a <c>uniform</c> tensor.</summary>
    public static ScaledRows OfUniform(StoredTensor stored, Emit.PackedEntry entry, int rows, int columns) => stored.Text("granularity") switch
    {
        "group" => new(stored, rows, columns, stored.Int("groupSize"), false, null) { Entry = entry },
        var other => new(stored, rows, columns, columns, other == "tensor", null) { Entry = entry },
    };

    public override void Weights(ReadOnlySpan<float> values, Span<float> weights)
    {
        float[] factors = new float[columns];
        rotation?.InverseFactors(factors);
        for (int row = 0; row < rows; row++)
        {
            var result = Row(weights, row);
            for (int group = 0; group < groups; group++)
            {
                var (start, length) = Group(group);
                TensorPrimitives.Multiply(Row(unscaled, row).Slice(start, length), values[Scale(row, group)], result.Slice(start, length));
            }

            rotation?.Invert(result, factors);
        }
    }

    public override void AddGradient(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> gradient)
    {
        float[] turned = new float[columns];
        for (int row = 0; row < rows; row++)
        {
            weights.Slice(row * columns, columns).CopyTo(turned);
            rotation?.Apply(turned);
            for (int group = 0; group < groups; group++)
            {
                var (start, length) = Group(group);
                gradient[Scale(row, group)] += FixedOrder.Dot(turned.AsSpan(start, length), Row(unscaled, row).Slice(start, length));
            }
        }
    }

    // Scales are not negative.
    public override IEnumerable<(string Array, byte[] Bytes)> Write(ReadOnlySpan<float> values)
    {
        float[] halves = new float[values.Length];
        for (int i = 0; i < halves.Length; i++)
        {
            halves[i] = Math.Max(values[i], 0) / unit;
        }

        return [(stored.NameOf("scales"), StoredTensor.Halved(halves))];
    }

    private Span<float> Row(Span<float> matrix, int row) => matrix.Slice(row * columns, columns);

    private (int Start, int Length) Group(int group) => (group * groupSize, Math.Min(groupSize, columns - (group * groupSize)));

    private int Scale(int row, int group) => shared ? 0 : (row * groups) + group;
}
