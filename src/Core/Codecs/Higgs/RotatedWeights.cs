using System.Numerics.Tensors;
using Compress.Core.Models;
using Compress.Runtime.Numerics;

namespace Compress.Core.Codecs.Higgs;

/// <summary>The rows of a matrix, rotated and in a unit in which the largest weight is near 1, so that squares neither overflow nor vanish.</summary>
internal sealed class RotatedWeights : WeightMatrix
{
    private readonly WeightMatrix weights;
    private readonly Rotation rotation;

    /// <param name="weights">At least one column. Read once for the unit.</param>
    /// <param name="groupSize">The largest block of the rotation.</param>
    /// <param name="seed">Seed of the signs.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public RotatedWeights(WeightMatrix weights, int groupSize, ulong seed, CancellationToken cancellationToken)
    {
        (this.weights, rotation) = (weights, new(weights.Columns, groupSize, seed));
        float largest = 0;
        RowReader.ForEach(weights, (_, values) => largest = Math.Max(largest, Math.Abs(TensorPrimitives.MaxMagnitude(values))), cancellationToken);
        Unit = MathF.ScaleB(1, largest == 0 ? 0 : Math.Clamp(Math.ILogB(largest), -126, 126));
    }

    /// <summary>A power of two: the weights are this many times as large.</summary>
    public float Unit { get; }

    public override int Rows => weights.Rows;

    public override int Columns => weights.Columns;

    public override void ReadRows(int firstRow, int rowCount, Span<float> destination)
    {
        destination = destination[..(rowCount * Columns)];
        weights.ReadRows(firstRow, rowCount, destination);
        TensorPrimitives.Multiply(destination, 1 / Unit, destination);
        for (int row = 0; row < rowCount; row++)
        {
            rotation.Apply(destination.Slice(row * Columns, Columns));
        }
    }
}
