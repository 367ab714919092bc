using Compress.Core.Models;

namespace Compress.Core.Codecs;

/// <summary>Works on one row; the values may be overwritten.</summary>
internal delegate void RowAction(int row, Span<float> values);

/// <summary>Walks over the rows of a matrix with little memory.</summary>
internal static class RowReader
{
    // 64 KiB: stays in the second-level cache.
    private const int BatchFloats = 1 << 14;

    /// <summary>Calls the action for each row in order. Cancellation is noticed every few rows.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static void ForEach(WeightMatrix weights, RowAction action, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        int columns = weights.Columns, batch = Math.Min(weights.Rows, Math.Max(1, BatchFloats / Math.Max(1, columns)));
        float[] values = new float[checked(batch * columns)];
        for (int first = 0; first < weights.Rows; first += batch)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = Math.Min(batch, weights.Rows - first);
            weights.ReadRows(first, count, values);
            for (int row = 0; row < count; row++)
            {
                action(first + row, values.AsSpan(row * columns, columns));
            }
        }
    }
}
