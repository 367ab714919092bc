using Compress.Core.Models;
using Compress.Runtime;

namespace Compress.Core.Caching;

/// <summary>How far an encoded tensor is from its source: sums over all weights, from which relative errors of any set of layers follow.</summary>
/// <param name="WeightEnergy">Σ w².</param>
/// <param name="ErrorEnergy">Σ (w − ŵ)².</param>
public readonly record struct ErrorSums(double WeightEnergy, double ErrorEnergy)
{
    private const int RowsAtOnceFloats = 1 << 18;

    /// <summary>‖W − Ŵ‖² / ‖W‖²; 0 where there is no error, infinite where zeros became something else.</summary>
    public double RelativeMse => ErrorEnergy == 0 ? 0 : ErrorEnergy / WeightEnergy;

    /// <summary>The sums of two sets of layers together.</summary>
    public static ErrorSums operator +(ErrorSums left, ErrorSums right) =>
        new(left.WeightEnergy + right.WeightEnergy, left.ErrorEnergy + right.ErrorEnergy);

    /// <summary>Measures by decoding. The order of the sums is fixed, so that the result is the same everywhere.</summary>
    public static ErrorSums Measure(WeightMatrix source, PackedTensor packed, CancellationToken cancellationToken)
    {
        int columns = source.Columns;
        int rowsAtOnce = Math.Clamp(RowsAtOnceFloats / Math.Max(columns, 1), 1, Math.Max(source.Rows, 1));
        float[] weights = new float[rowsAtOnce * columns];
        float[] decoded = new float[rowsAtOnce * columns];
        var sums = default(ErrorSums);
        for (int row = 0; row < source.Rows; row += rowsAtOnce)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int rows = Math.Min(rowsAtOnce, source.Rows - row);
            source.ReadRows(row, rows, weights);
            packed.DequantizeRows(row, rows, decoded);
            for (int r = 0; r < rows; r++)
            {
                sums += MeasureRow(weights.AsSpan(r * columns, columns), decoded.AsSpan(r * columns, columns));
            }
        }

        return sums;
    }

    private static ErrorSums MeasureRow(ReadOnlySpan<float> weights, ReadOnlySpan<float> decoded)
    {
        // Four independent sums hide the latency of the additions.
        Span<double> weight = stackalloc double[4];
        Span<double> error = stackalloc double[4];
        for (int i = 0; i < weights.Length; i++)
        {
            double w = weights[i];
            double e = w - decoded[i];
            weight[i & 3] += w * w;
            error[i & 3] += e * e;
        }

        return new((weight[0] + weight[1]) + (weight[2] + weight[3]), (error[0] + error[1]) + (error[2] + error[3]));
    }
}
