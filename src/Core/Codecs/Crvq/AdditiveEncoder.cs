using System.Buffers.Binary;
using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json.Nodes;
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
/// <param name="groupSize">Weights of a group.</param>
/// <param name="codebooks">Codebooks.</param>
/// <param name="codebookBits">Bits of a code.</param>
/// <param name="critical">Percent of the channels that are critical; null if all are, and keep their order.</param>
/// <param name="outputs">True if errors count as the layer's outputs have them, false if all alike.</param>
internal sealed class AdditiveEncoder(int groupSize, int codebooks, int codebookBits, int? critical, bool outputs) : ILayerEncoder
{
    /// <summary>Vectors that train one of a codebook, on average, at least, if that leaves <see cref="FewEntries"/>.</summary>
    internal const int VectorsOfEntry = 4, FewEntries = 16;

    private const int MaxRounds = 20;

    // AQLM's relative_mse_tolerance: it ends when a round lessens the error by less.
    private const double Improvement = 0.01;

    private const float LargestHalf = 65504;

    public string Settings => string.Create(CultureInfo.InvariantCulture, $"groupSize={groupSize} codebooks={codebooks} codebookBits={codebookBits}")
        + (critical is null ? "" : string.Create(CultureInfo.InvariantCulture, $" critical={critical}")) + (outputs ? " objective=outputs" : " objective=weights");

    public StatisticKinds Needs => outputs ? StatisticKinds.InputSecondMoments : StatisticKinds.None;

    /// <summary>Vectors of a codebook that may have 2^bits, of so many groups.</summary>
    public static int Entries(int bits, long groups) => (int)Math.Clamp(Math.Min(1 << bits, Math.Max(FewEntries, groups / VectorsOfEntry)), 1, Math.Max(groups, 1));

    /// <summary>Groups of critical channels: the nearest number, one at least.</summary>
    public static int CriticalGroups(int percent, int columns, int groupSize) =>
        percent == 0 ? 0 : Math.Min((int)Math.Max(1, (((long)columns * percent) + (50L * groupSize)) / (100L * groupSize)), columns / groupSize);

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        int columns = weights.Rows == 0 ? 0 : weights.Columns, groups = (columns + groupSize - 1) / groupSize;
        var rows = new NormalizedRows(weights, groups * groupSize, statistics, cancellationToken);
        double[]? moments = columns > 0 && statistics is { Transposed: false } ? statistics.InputSecondMoments : null;
        double? damping = moments is null ? null : InputMetric.Damping(moments, columns, cancellationToken);
        int[] order = [.. Enumerable.Range(0, columns)];
        int every = critical is null ? groups : CriticalGroups(critical.Value, columns, groupSize), books = every == 0 ? 1 : codebooks;
        if (critical is not null && every > 0)
        {
            var single = rows.Code(order, groups, 0, groupSize, [Entries(codebookBits, (long)weights.Rows * groups)]);
            Begin(single, rows.Live, cancellationToken);
            order = CriticalChannels.Order(single, columns, every * groupSize, damping is null ? null : moments);
        }

        int[] entries = [.. Enumerable.Range(0, books).Select(book => Entries(codebookBits, (long)weights.Rows * (book == 0 ? groups : every)))];
        var code = rows.Code(order, groups, every, groupSize, entries);
        var metric = damping is { } part ? InputMetric.Of(moments!, part, order, groupSize) : InputMetric.Identity(groups, groupSize);
        Begin(code, rows.Live, cancellationToken);
        Improve(code, metric, cancellationToken);

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
        return Written(code, scales, order);
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

    private static void Improve(AdditiveCode code, InputMetric metric, CancellationToken cancellationToken)
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
            if (!(error < (1 - Improvement) * before))
            {
                break;
            }
        }
    }

    private EncodedTensor Written(AdditiveCode code, ScaleWriter scales, int[] order)
    {
        var parameters = new JsonObject { ["groupSize"] = groupSize, ["codebooks"] = code.Books.Length, ["entries"] = code.Books[0].Length / groupSize };
        if (critical is not null)
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
        if (critical is not null && code.Critical > 0)
        {
            parts.Add(Columns([.. order.Take(code.Critical * groupSize)], narrow: order.Length <= 1 << 16));
        }

        return new(critical is null ? "aqlm" : "crvq", parameters, parts);
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
