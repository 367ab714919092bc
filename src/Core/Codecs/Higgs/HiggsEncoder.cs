using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using Compress.Core.Codecs.Feedback;
using Compress.Core.Models;
using Compress.Core.Numerics;
using Compress.Runtime.Codecs;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.Higgs;

/// <summary>
/// HIGGS without data (Malinovskii et al., arXiv 2411.17525, §3): rotate each row, bring each group to unit variance, take the nearest
/// grid points, then give the group the scale that fits them best in the least-squares sense.
/// </summary>
internal sealed class HiggsEncoder(Grid grid, int groupSize, ulong seed, FeedbackSettings? feedback) : ILayerEncoder
{
    public string Settings =>
        string.Create(CultureInfo.InvariantCulture, $"p={grid.P} n={grid.N} groupSize={groupSize} seed={seed}") + (feedback is null ? "" : " " + feedback);

    public StatisticKinds Needs => feedback is null ? StatisticKinds.None : StatisticKinds.InputSecondMoments;

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        int rows = weights.Rows, columns = weights.Columns;
        int codesPerRow = (columns + grid.P - 1) / grid.P;
        int scaled = grid.ScaledColumns(groupSize);
        int groups = (columns / scaled) + (columns % scaled == 0 ? 0 : 1);
        var layout = CodeLayout.Of(grid.N);
        int rowBytes = checked((int)layout.RowBytes(codesPerRow));
        byte[] packed = new byte[checked((long)rows * rowBytes)];
        float[] scales = new float[checked((long)rows * groups)];
        if (feedback is not null && statistics?.InputSecondMoments is { } moments)
        {
            (ushort[][] codes, scales) = new HiggsFeedback(grid, groupSize, seed, feedback).Encode(weights, moments, statistics.Transposed, cancellationToken);
            for (int row = 0; row < rows; row++)
            {
                layout.Pack(codes[row], packed.AsSpan(row * rowBytes, rowBytes));
            }
        }
        else if (packed.Length > 0)
        {
            var coder = new RowCoder(grid, scaled, new Rotation(columns, groupSize, seed), columns);
            RowReader.ForEach(weights, (row, values) =>
            {
                var codes = coder.Encode(values, scales.AsSpan(row * groups, groups));
                layout.Pack(codes[..codesPerRow], packed.AsSpan(row * rowBytes, rowBytes));
            }, cancellationToken);
        }

        var parameters = new JsonObject { ["p"] = grid.P, ["n"] = grid.N, ["groupSize"] = groupSize, ["seed"] = seed };
        var storedScales = new ScaleWriter(scales).Write(parameters, rows, groups);
        return new("higgs", parameters,
        [
            new("codes", DType.U8, [rows, rowBytes], packed) { Codes = new(rows, codesPerRow, grid.N) },
            storedScales,
            new(grid.Name, grid.DType, [grid.N, grid.P], grid.Bytes, Shared: true),
        ]);
    }

    /// <summary>Encodes one row after another, with its own buffers.</summary>
    private sealed class RowCoder(Grid grid, int scaledColumns, Rotation rotation, int columns)
    {
        // Filled up with zeros to whole codes, then to whole steps of the search: what a group writes beyond its end, the next overwrites.
        private readonly float[] rotated = new float[columns + (2 * GridSearch.Step)];
        private readonly float[] points = new float[columns + (2 * GridSearch.Step)];
        private readonly ushort[] codes = new ushort[columns + (2 * GridSearch.Step)];

        /// <summary>The codes of a row, valid until the next call.</summary>
        public ReadOnlySpan<ushort> Encode(ReadOnlySpan<float> values, Span<float> scales)
        {
            // An exact power of two brings the largest weight near 1, so that squares neither overflow nor vanish.
            float largest = TensorPrimitives.MaxMagnitude(values);
            int power = largest == 0 ? 0 : Math.Clamp(Math.ILogB(largest), -126, 126);
            var row = rotated.AsSpan(0, columns);
            TensorPrimitives.Multiply(values, MathF.ScaleB(1, -power), row);
            rotation.Apply(row);
            for (int group = 0; group < scales.Length; group++)
            {
                int start = group * scaledColumns, length = Math.Min(scaledColumns, columns - start);
                var part = row.Slice(start, length);
                float energy = FixedOrder.Dot(part, part);
                scales[group] = energy;
                Choose(start, length, energy == 0 ? 0 : 1 / MathF.Sqrt(energy / length));
            }

            float unit = MathF.ScaleB(1, power);
            for (int group = 0; group < scales.Length; group++)
            {
                int start = group * scaledColumns, length = Math.Min(scaledColumns, columns - start);
                scales[group] = scales[group] == 0 ? 0 : Fit(row.Slice(start, length), points.AsSpan(start, length)) * unit;
            }

            return codes;
        }

        private void Choose(int start, int length, float factor)
        {
            int whole = (((length + grid.P - 1) / grid.P * grid.P) + GridSearch.Step - 1) / GridSearch.Step * GridSearch.Step;
            var groupCodes = codes.AsSpan(start / grid.P, whole / grid.P);
            if (factor == 0)
            {
                groupCodes.Clear();
            }
            else
            {
                grid.Search.Nearest(rotated.AsSpan(start, whole), factor, groupCodes, points.AsSpan(start, whole));
            }
        }

        private static float Fit(ReadOnlySpan<float> values, ReadOnlySpan<float> chosen)
        {
            float fit = FixedOrder.Dot(values, chosen);
            return fit > 0 ? fit / FixedOrder.Dot(chosen, chosen) : 0;
        }
    }
}
