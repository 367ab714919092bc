using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.LowRank;

/// <summary>Encodes a matrix as the product of two factors, or as another method does with such a product added.</summary>
/// <param name="settings">What the recipe says.</param>
/// <param name="factors">Packs the factors.</param>
/// <param name="corrected">Packs the matrix that the factors correct; null if they are all there is.</param>
/// <param name="methodText">The method beside it with its settings, in canonical form.</param>
internal sealed class LowRankEncoder(LowRankSettings settings, ILayerEncoder factors, ILayerEncoder? corrected, string methodText) : ILayerEncoder
{
    public string Settings => $"{settings} ({methodText})";

    public StatisticKinds Needs => factors.Needs | (corrected?.Needs ?? StatisticKinds.None) | (settings.Whitened ? StatisticKinds.InputSecondMoments : StatisticKinds.None);

    /// <summary>What the recipe says.</summary>
    public LowRankSettings LowRank => settings;

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        int rows = weights.Rows, columns = rows == 0 ? 0 : weights.Columns;
        var packed = corrected?.Encode(weights, corrected.Needs == StatisticKinds.None ? null : statistics, cancellationToken);
        bool transposed = statistics?.Transposed == true;
        var (matrix, exponent) = Read(weights, packed, transposed, cancellationToken);
        var moments = statistics?.InputSecondMoments is { } values ? new Matrix(values, matrix.Columns, matrix.Columns) : null;
        var factorization = new Factorization(matrix, settings.Whitened ? moments : null, cancellationToken);
        int least = Math.Min(rows, columns);
        if (settings.Bits is { } bits)
        {
            return OfBits(bits);
        }

        return OfRank(settings.Rank is { } rank ? Math.Min(rank, least) : factorization.RankOf(settings.Energy!.Value));

        EncodedTensor OfRank(int rank)
        {
            var (left, right) = factorization.Factors(rank);
            var ofLeft = factors.Needs == StatisticKinds.None || moments is null ? null : Statistics(right.Times(moments).Times(right, transposed: true));
            var ofRight = factors.Needs == StatisticKinds.None ? null : statistics;
            var parameters = new JsonObject { ["rank"] = rank, ["scaleExponent"] = exponent, ["residual"] = packed is not null };
            var encoded = new EncodedTensor("lowrank", parameters, []);
            encoded = packed is null ? encoded : encoded.With("base", packed, rows, columns);
            // Of a transposed matrix, the factor next to the inputs is the left one.
            return transposed
                ? encoded.With("left", Pack(right.Transposed(), ofRight), rows, rank).With("right", Pack(left.Transposed(), ofLeft), rank, columns)
                : encoded.With("left", Pack(left, ofLeft), rows, rank).With("right", Pack(right, ofRight), rank, columns);
        }

        // The greatest rank that is within; a step takes twelve encodings at most.
        EncodedTensor OfBits(double bits)
        {
            int within = 0, beyond = least + 1;
            EncodedTensor? best = null;
            while (beyond - within > 1)
            {
                int rank = (within + beyond) / 2;
                var encoded = OfRank(rank);
                if (BitsOf(encoded, rows, columns) <= bits)
                {
                    (within, best) = (rank, encoded);
                }
                else
                {
                    beyond = rank;
                }
            }

            return best ?? (least == 0 ? OfRank(0) : throw new CompressException(new Diagnostic(
                Codes.RecipeBadValue, Severity.Error, string.Create(CultureInfo.InvariantCulture,
                    $"'lowrank': {bits} bits per weight are too few for a matrix of {rows} × {columns}: rank 1 takes {BitsOf(OfRank(1), rows, columns):0.###}"),
                settings.File, settings.Position.Line, settings.Position.Column)));
        }

        LayerStatistics Statistics(Matrix ofInner) => new() { Tokens = statistics!.Tokens, Transposed = transposed, InputSecondMoments = ofInner.Values };

        EncodedTensor Pack(Matrix factor, LayerStatistics? known) => factors.Encode(
            WeightMatrix.FromArray(Array.ConvertAll(factor.Values, value => (float)value), factor.Rows, factor.Columns), known, cancellationToken);
    }

    private static double BitsOf(EncodedTensor encoded, int rows, int columns) =>
        encoded.Parts.Where(part => !part.Shared).Sum(part => 8.0 * part.Bytes.LongLength) / ((double)rows * columns);

    // The matrix, or what is missing of it, with inputs as columns, over 2^exponent: its largest element is then of the order of 1.
    private static (Matrix Matrix, int Exponent) Read(WeightMatrix weights, EncodedTensor? packed, bool transposed, CancellationToken cancellationToken)
    {
        int rows = weights.Rows, columns = rows == 0 ? 0 : weights.Columns;
        var matrix = new Matrix(rows, columns);
        var known = packed is null ? null : DecodedTensor.Open(packed, DType.F32, [rows, columns]);
        float[] decoded = new float[columns];
        RowReader.ForEach(weights, (row, values) =>
        {
            known?.DequantizeRows(row, 1, decoded);
            var target = matrix.Values.AsSpan(row * columns, columns);
            for (int j = 0; j < columns; j++)
            {
                target[j] = known is null ? values[j] : (double)values[j] - decoded[j];
            }
        }, cancellationToken);
        double largest = matrix.Values.Length == 0 ? 0 : Math.Abs(TensorPrimitives.MaxMagnitude(matrix.Values.AsSpan()));
        int exponent = largest == 0 ? 0 : Math.Clamp(Math.ILogB(largest), -126, 126);
        foreach (ref double value in matrix.Values.AsSpan())
        {
            value = Math.ScaleB(value, -exponent);
        }

        return (transposed ? matrix.Transposed() : matrix, exponent);
    }
}
