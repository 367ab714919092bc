using System.Numerics.Tensors;
using Compress.Core.Numerics;

namespace Compress.Core.Recovery;

/// <summary>
/// What is continuous in the parts of a <c>lowrank</c> tensor, W = 2^e L R + B: with G the gradient of W, that of L is 2^e G Rᵀ, that of R is 2^e Lᵀ G, and that of B is G.
/// </summary>
internal sealed class Factors : Trainable
{
    private readonly Trainable left, right;
    private readonly Trainable? corrected;
    private readonly int rows, columns, rank;
    private readonly float scale;

    public Factors(StoredTensor stored, int rows, int columns)
    {
        (this.rows, this.columns, rank) = (rows, columns, stored.Int("rank"));
        scale = MathF.ScaleB(1, stored.Int("scaleExponent"));
        left = TrainableTensors.OfPart(stored.Nested("left"), rows, rank);
        right = TrainableTensors.OfPart(stored.Nested("right"), rank, columns);
        corrected = stored.HasNested("base") ? TrainableTensors.OfPart(stored.Nested("base"), rows, columns) : null;
        Start = [.. left.Start, .. right.Start, .. corrected?.Start ?? []];
        Units = [.. left.Units, .. right.Units, .. corrected?.Units ?? []];
    }

    public override float[] Start { get; }

    public override float[] Units { get; }

    public override int WeightCount => rows * columns;

    public override void Weights(ReadOnlySpan<float> values, Span<float> weights)
    {
        var (l, r) = Matrices(values);
        float[] sum = new float[columns], product = new float[columns];
        corrected?.Weights(values[(left.Start.Length + right.Start.Length)..], weights);
        for (int row = 0; row < rows; row++)
        {
            Array.Clear(sum);
            for (int k = 0; k < rank; k++)
            {
                AddProduct(l[(row * rank) + k], r.AsSpan(k * columns, columns), sum, product);
            }

            var own = weights.Slice(row * columns, columns);
            TensorPrimitives.Multiply(sum, scale, sum);
            if (corrected is null)
            {
                sum.CopyTo(own);
            }
            else
            {
                TensorPrimitives.Add(own, sum, own);
            }
        }
    }

    public override void AddGradient(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> gradient)
    {
        var (l, r) = Matrices(values);
        float[] ofLeft = new float[l.Length], ofRight = new float[r.Length], slope = new float[columns], product = new float[columns];
        for (int row = 0; row < rows; row++)
        {
            TensorPrimitives.Multiply(weights.Slice(row * columns, columns), scale, slope);
            for (int k = 0; k < rank; k++)
            {
                ofLeft[(row * rank) + k] = FixedOrder.Dot(slope, r.AsSpan(k * columns, columns));
                AddProduct(l[(row * rank) + k], slope, ofRight.AsSpan(k * columns, columns), product);
            }
        }

        int second = left.Start.Length, third = second + right.Start.Length;
        left.AddGradient(values[..second], ofLeft, gradient[..second]);
        right.AddGradient(values[second..third], ofRight, gradient[second..third]);
        corrected?.AddGradient(values[third..], weights, gradient[third..]);
    }

    public override IEnumerable<(string Array, byte[] Bytes)> Write(ReadOnlySpan<float> values)
    {
        int second = left.Start.Length, third = second + right.Start.Length;
        return [.. left.Write(values[..second]), .. right.Write(values[second..third]), .. corrected?.Write(values[third..]) ?? []];
    }

    private (float[] Left, float[] Right) Matrices(ReadOnlySpan<float> values)
    {
        float[] l = new float[rows * rank], r = new float[rank * columns];
        left.Weights(values[..left.Start.Length], l);
        right.Weights(values.Slice(left.Start.Length, right.Start.Length), r);
        return (l, r);
    }

    // Rounded before it is added: the same bits everywhere.
    private static void AddProduct(float factor, ReadOnlySpan<float> values, Span<float> sums, Span<float> product)
    {
        TensorPrimitives.Multiply(values, factor, product);
        TensorPrimitives.Add(sums, product, sums);
    }
}
