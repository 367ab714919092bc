using Compress.Core.Numerics;
using Compress.Runtime.Codecs.Hashed;

namespace Compress.Core.Recovery;

/// <summary>The values of a <c>hashed</c> tensor: the gradient of one is the sum over all weights that have it, with their signs (Chen et al., arXiv 1504.04788, §4.3).</summary>
internal sealed class HashedValues : Trainable
{
    // Of the halves with which values stay finite.
    private const float Largest = 32752;

    private readonly StoredTensor stored;
    private readonly int rows, columns;
    private readonly float unit;
    private readonly uint seed;

    public HashedValues(StoredTensor stored, int rows, int columns)
    {
        (this.stored, this.rows, this.columns) = (stored, rows, columns);
        seed = HashedTensor.SeedOf(stored.Seed);
        unit = MathF.ScaleB(1, stored.Int("scaleExponent"));
        Start = Array.ConvertAll(stored.Halves("values"), half => half * unit);
        Units = new float[Start.Length];
        Array.Fill(Units, MathF.Sqrt(FixedOrder.Dot(Start, Start) / Start.Length));
    }

    public override float[] Start { get; }

    public override float[] Units { get; }

    public override int WeightCount => rows * columns;

    public override void Weights(ReadOnlySpan<float> values, Span<float> weights)
    {
        for (int row = 0; row < rows; row++)
        {
            uint rowHash = HashedTensor.RowHash(seed, row);
            for (int column = 0; column < columns; column++)
            {
                uint hash = HashedTensor.Hash(rowHash, column);
                float value = values[HashedTensor.Index(hash, values.Length)];
                weights[(row * columns) + column] = HashedTensor.IsNegative(hash) ? -value : value;
            }
        }
    }

    public override void AddGradient(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> gradient)
    {
        for (int row = 0; row < rows; row++)
        {
            uint rowHash = HashedTensor.RowHash(seed, row);
            for (int column = 0; column < columns; column++)
            {
                uint hash = HashedTensor.Hash(rowHash, column);
                float slope = weights[(row * columns) + column];
                gradient[HashedTensor.Index(hash, gradient.Length)] += HashedTensor.IsNegative(hash) ? -slope : slope;
            }
        }
    }

    public override IEnumerable<(string Array, byte[] Bytes)> Write(ReadOnlySpan<float> values)
    {
        float[] halves = new float[values.Length];
        for (int i = 0; i < halves.Length; i++)
        {
            halves[i] = Math.Clamp(values[i] / unit, -Largest, Largest);
        }

        return [(stored.NameOf("values"), StoredTensor.Halved(halves))];
    }
}
