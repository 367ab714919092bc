using Compress.Core.Codecs;
using Compress.Core.Models;

namespace Compress.Core.Pruning;

/// <summary>A matrix of which some weights are kept: which they are, and their values.</summary>
/// <param name="rows">Rows.</param>
/// <param name="columns">Columns.</param>
internal sealed class PrunedMatrix(int rows, int columns)
{
    /// <summary>Rows.</summary>
    public int Rows => rows;

    /// <summary>Columns.</summary>
    public int Columns => columns;

    /// <summary>Weights of the matrix.</summary>
    public long Count { get; } = (long)rows * columns;

    /// <summary>A bit for each weight that is kept, row-major, from the lowest of each byte.</summary>
    public byte[] Mask { get; } = new byte[(((long)rows * columns) + 7) / 8];

    /// <summary>The values of the weights that are kept, row-major.</summary>
    public float[] Values { get; private set; } = [];

    /// <summary>True if a weight is kept.</summary>
    public bool Keeps(long index) => (Mask[index / 8] >> (int)(index % 8) & 1) != 0;

    /// <summary>Keeps a weight.</summary>
    public void Keep(long index) => Mask[index / 8] |= (byte)(1 << (int)(index % 8));

    /// <summary>Reads the values of the weights that are kept.</summary>
    /// <param name="weights">The matrix.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public PrunedMatrix With(WeightMatrix weights, CancellationToken cancellationToken)
    {
        var values = new List<float>();
        RowReader.ForEach(weights, (row, line) =>
        {
            for (int column = 0; column < line.Length; column++)
            {
                if (Keeps(((long)row * columns) + column))
                {
                    values.Add(line[column]);
                }
            }
        }, cancellationToken);
        Values = [.. values];
        return this;
    }
}
