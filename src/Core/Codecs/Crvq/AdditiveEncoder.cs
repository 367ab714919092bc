using System.Buffers.Binary;
using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Numerics;
using Compress.Runtime.Codecs;
using Compress.Runtime.Codecs.Crvq;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.Crvq;

/// <summary>
/// Additive vector quantization: AQLM (Egiazarian et al., arXiv 2401.06118), and CRVQ (Xu et al., arXiv 2412.09282), which gives all codebooks but the first to
/// critical channels only. Residual k-means to begin with, then codebooks and codes in turn until the error falls no more.
/// </summary>
/// <param name="settings">What the recipe says.</param>
internal sealed class AdditiveEncoder(AdditiveSettings settings) : ILayerEncoder
{
    private const int MaxRounds = 20;

    // AQLM's relative_mse_tolerance: it ends when a round lessens the error by less.
    private const double Improvement = 0.01;

    private const float LargestHalf = 65504;

    private readonly int groupSize = settings.GroupSize;

    public string Settings => settings.ToString();

    public StatisticKinds Needs => settings.Outputs ? StatisticKinds.InputSecondMoments : StatisticKinds.None;

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken) => Encode(weights, statistics, null, cancellationToken);

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        // Of all rounds that there may be: it jumps to the end when fewer are enough.
        const int Beginnings = 2, Parts = Beginnings + MaxRounds + 1;
        int columns = weights.Rows == 0 ? 0 : weights.Columns, groups = (columns + groupSize - 1) / groupSize;
        var rows = new NormalizedRows(weights, groups * groupSize, statistics, cancellationToken);
        double[]? moments = columns > 0 && statistics is { Transposed: false } ? statistics.InputSecondMoments : null;
        double? damping = moments is null ? null : InputMetric.Damping(moments, columns, cancellationToken);
        double[]? importance = settings.Relaxed && columns > 0 && (settings.Bits is not null || settings.Critical > 0)
            ? Importance(rows, weights.Rows, columns, groups, damping is null ? null : moments, cancellationToken)
            : null;
        var form = settings.Form(weights.Rows, columns, importance ?? []);
        progress?.Report(1.0 / Parts);
        int[] order = importance is null ? [.. Enumerable.Range(0, columns)] : CriticalChannels.Order(importance, settings.Relaxed ? form.Critical * groupSize : 0);
        var code = rows.Code(order, groups, form.Critical, groupSize, form.Entries);
        var metric = damping is { } part ? InputMetric.Of(moments!, part, order, groupSize) : InputMetric.Identity(groups, groupSize);
        Begin(code, rows.Live, cancellationToken);
        progress?.Report((double)Beginnings / Parts);
        Improve(code, metric, round => progress?.Report((Beginnings + round + 1.0) / Parts), cancellationToken);

        // Codes are chosen once more for what is stored.
        foreach (float[] book in code.Books)
        {
            for (int i = 0; i < book.Length; i++)
            {
                book[i] = (float)(Half)Math.Clamp(book[i], -LargestHalf, LargestHalf);
            }
        }

        var scales = new ScaleWriter(rows.Scales(code.Scales));
        for (int row = 0; row < code.Rows; row++)
        {
            code.Scales[row] = rows.Normalized(row, Math.ScaleB((double)scales.Rounded[row], scales.Exponent));
        }

        code.UpdateErrors(cancellationToken);
        new CodeSearch(code, metric).Run(cancellationToken);
        progress?.Report(1);
        return Written(code, scales, order) with { Warnings = [.. Warnings(weights, form, moments is null || damping is not null)] };
    }

    // With one codebook for all, however many there will be.
    private double[] Importance(NormalizedRows rows, int count, int columns, int groups, double[]? moments, CancellationToken cancellationToken)
    {
        var single = rows.Code([.. Enumerable.Range(0, columns)], groups, 0, groupSize, [AdditiveForm.EntriesOf(settings.CodebookBits, (long)count * groups)]);
        Begin(single, rows.Live, cancellationToken);
        return CriticalChannels.Importance(single, columns, moments);
    }

    private IEnumerable<EncodingWarning> Warnings(WeightMatrix weights, AdditiveForm form, bool usable)
    {
        if (!usable)
        {
            yield return new(Codes.StatisticsUnusable,
                "the second moments of its inputs are zero, are beyond the range of numbers, or are none, having no positive definite matrix near them; they were not used: "
                + "errors of all weights count alike. Check the calibration");
        }

        double least = form.Bytes * 8.0 / ((double)weights.Rows * weights.Columns);
        if (weights.Columns > 0 && weights.Rows > 0 && settings.Bits < least)
        {
            yield return new(Codes.BitsNotReached, string.Create(CultureInfo.InvariantCulture,
                $"{settings.Bits} bits per weight are asked for, and the least that the method has for {weights.Rows} × {weights.Columns} weights is {least:F2}; give such layers more bits or another method"));
        }
    }

    // Residual k-means: each codebook is that of what those before it leave.
    private static void Begin(AdditiveCode code, int[] live, CancellationToken cancellationToken)
    {
        int size = code.GroupSize;
        for (int index = 0; index < code.Books.Length; index++)
        {
            int book = index, groups = code.GroupsOf(book);
            code.Books[book] = KMeans.Fit(code.Errors, code.Columns, live, groups, size, code.Books[book].Length / size, cancellationToken);
            var vectors = new VectorBook(code.Books[book], size);
            float[] norms = new float[vectors.Padded];
            vectors.Norms(KMeans.Identity(size), norms);
            code.ForPanels((firstRow, count) =>
            {
                for (int i = firstRow * groups; i < (firstRow + count) * groups; i++)
                {
                    var error = code.Errors.AsSpan((i / groups * code.Columns) + (i % groups * size), size);
                    int entry = vectors.Nearest(error, 0.5f, norms);
                    code.Codes[book][i] = (byte)entry;
                    for (int k = 0; k < size; k++)
                    {
                        error[k] -= code.Books[book][(entry * size) + k];
                    }
                }
            }, cancellationToken);
        }
    }

    private static void Improve(AdditiveCode code, InputMetric metric, Action<int> done, CancellationToken cancellationToken)
    {
        var fit = new CodebookFit(code, metric);
        double error = double.PositiveInfinity;
        for (int round = 0; round < MaxRounds; round++)
        {
            fit.FitScales(cancellationToken);
            fit.FitBooks(cancellationToken);
            new CodeSearch(code, metric).Run(cancellationToken);
            double before = error;
            error = fit.Error(cancellationToken);
            done(round);
            if (!(error < (1 - Improvement) * before))
            {
                break;
            }
        }
    }

    private EncodedTensor Written(AdditiveCode code, ScaleWriter scales, int[] order)
    {
        var parameters = new JsonObject { ["groupSize"] = groupSize, ["codebooks"] = code.Books.Length, ["entries"] = code.Books[0].Length / groupSize };
        if (settings.Relaxed)
        {
            parameters["criticalGroups"] = code.Critical;
            parameters["extendedEntries"] = code.Books[^1].Length / groupSize;
        }

        var storedScales = scales.Write(parameters, code.Rows);
        int bits = AdditiveCodes.CodeBits(code.Books[0].Length / groupSize), extendedBits = AdditiveCodes.CodeBits(code.Books[^1].Length / groupSize);
        List<EncodedPart> parts = [Packed("codes", code, 0, 1, bits)];
        if (code.Books.Length > 1)
        {
            parts.Add(Packed("extended", code, 1, code.Books.Length - 1, extendedBits));
        }

        float[] vectors = [.. code.Books.SelectMany(book => book)];
        byte[] books = new byte[2 * vectors.Length];
        for (int i = 0; i < vectors.Length; i++)
        {
            BinaryPrimitives.WriteHalfLittleEndian(books.AsSpan(2 * i), (Half)vectors[i]);
        }

        parts.Add(new("codebooks", DType.F16, [vectors.Length / groupSize, groupSize], books));
        parts.Add(storedScales);
        if (settings.Relaxed && code.Critical > 0)
        {
            parts.Add(Columns([.. order.Take(code.Critical * groupSize)], narrow: order.Length <= 1 << 16));
        }

        return new(settings.Relaxed ? "crvq" : "aqlm", parameters, parts);
    }

    private static EncodedPart Packed(string name, AdditiveCode code, int first, int count, int bits)
    {
        int groups = code.GroupsOf(first), rowBytes = checked((int)CodePacking.RowBytes(groups, bits));
        byte[] packed = new byte[checked(code.Rows * count * rowBytes)];
        for (int i = 0; i < code.Rows * count; i++)
        {
            CodePacking.Pack(code.Codes[first + (i % count)].AsSpan(i / count * groups, groups), bits, packed.AsSpan(i * rowBytes, rowBytes));
        }

        return new(name, DType.U8, count == 1 ? [code.Rows, rowBytes] : [code.Rows, count, rowBytes], packed) { Codes = new(code.Rows * count, groups, 1 << bits) };
    }

    private static EncodedPart Columns(int[] columns, bool narrow)
    {
        byte[] bytes = new byte[columns.Length * (narrow ? sizeof(ushort) : sizeof(uint))];
        for (int i = 0; i < columns.Length; i++)
        {
            if (narrow)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * sizeof(ushort)), (ushort)columns[i]);
            }
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * sizeof(uint)), (uint)columns[i]);
            }
        }

        return new("critical", narrow ? DType.U16 : DType.U32, [columns.Length], bytes);
    }
}
