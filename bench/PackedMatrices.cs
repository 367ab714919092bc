using Compress.Core.Codecs;
using Compress.Core.Codecs.Sparse;
using Compress.Core.Models;
using Compress.Core.Pruning;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Bench;

/// <summary>
/// Encoded Gaussian matrices for the benchmarks of kernels, each with what its 256-bit kernel does for 32 weights:
/// counted in the kernel's text, and the same on every machine.
/// </summary>
/// <param name="Label">What the table calls it.</param>
/// <param name="Codec">The codec.</param>
/// <param name="Settings">Its settings.</param>
/// <param name="Operations">Vector operations for 32 weights of a product, multiply-adds among them.</param>
/// <param name="Loads">Loads into vector registers for 32 weights of a product.</param>
internal sealed record PackedMatrices(string Label, string Codec, (string, object)[] Settings, int Operations, int Loads)
{
    /// <summary>Every kind of kernel, at every number of bits that changes it.</summary>
    public static IReadOnlyList<PackedMatrices> All { get; } =
    [
        // StripDot: expanding a plane takes 2 operations (a second one 4), lookups 2, words 2, floats 4, multiply-adds 4.
        new("higgs p=1 n=2", "higgs", [("bits", 1)], 14, 5),
        new("higgs p=1 n=4", "higgs", [("bits", 2)], 14, 5),
        new("higgs p=1 n=8", "higgs", [("bits", 3)], 18, 6),
        new("higgs p=1 n=16", "higgs", [("bits", 4)], 14, 5),
        new("higgs p=2 n=16", "higgs", [("bits", 2), ("p", 2)], 13, 5),
        new("uniform 4 bits", "uniform", [("bits", 4)], 14, 5),
        // PointDot: a multiply-add and a point for each code, the activations once for 8 rows. Codes of other than 8 bits are unpacked first.
        new("higgs p=2 n=64", "higgs", [("bits", 3), ("p", 2)], 19, 19),
        new("higgs p=2 n=256", "higgs", [("bits", 4), ("p", 2)], 16, 18),
        new("higgs p=2 n=88", "higgs", [("n", 88), ("p", 2)], 21, 20),
        new("higgs p=2 n=1024", "higgs", [("bits", 5), ("p", 2)], 22, 19),
        new("higgs p=3 n=512", "higgs", [("bits", 3), ("p", 3)], 16, 13),
        new("higgs p=3 n=4096", "higgs", [("bits", 4), ("p", 3)], 16, 13),
        new("higgs p=4 n=256", "higgs", [("bits", 2), ("p", 4)], 8, 9),
        new("higgs p=4 n=4096", "higgs", [("bits", 3), ("p", 4)], 11, 10),
        new("higgs p=8 n=256", "higgs", [("bits", 1), ("p", 8)], 4, 5),
        // VectorMixedRows: up to four bits as StripDot; with five 6 to expand two planes, 4 to fold, a sign; with six 6 more for the second half of a table.
        new("cvxq 4 bits", "cvxq", [("bits", 4.0)], 14, 5),
        new("cvxq 3.5 bits", "cvxq", [("bits", 3.5)], 16, 6),
        new("cvxq 4.5 bits", "cvxq", [("bits", 4.5)], 19, 6),
        // Depths of all kinds, a quarter of them above 4: see Gradients.
        new("cvxq 4 bits, depths that differ", "cvxq", [("bits", 4.0), ("sensitivity", "gradients")], 17, 6),
        // The same in columns: sums of outputs are loaded and stored.
        new("cvxq 4 bits, depths that differ, clusters", "cvxq", [("bits", 4.0), ("sensitivity", "gradients"), ("grouping", "clusters")], 17, 10),
        new("cvxq 5.5 bits", "cvxq", [("bits", 5.5)], 26, 6),
        // SinglesDecoder, for 8 weights: 8 values, 7 operations to join them, a multiply-add.
        new("higgs p=1 n=32", "higgs", [("bits", 5)], 38, 37),
        new("higgs p=1 n=256", "higgs", [("bits", 8)], 32, 36),
        // IntegerDecoder, for 8 weights: widen, convert, subtract, multiply-add.
        new("uniform 6 bits", "uniform", [("bits", 6)], 22, 11),
        new("uniform 8 bits", "uniform", [("bits", 8)], 16, 8),
        new("uniform 8 bits, a scale a row", "uniform", [("bits", 8), ("symmetric", true), ("granularity", "channel")], 16, 8),
        // CodebookTables: an addition and a table entry for each of 4.23 codes, which are read eight at once.
        new("crvq 1.07 bits", "crvq", [], 5, 5),
        // Expansion, for 8 weights: place, values, three operations, a multiply-add with one float more; and the codes of those that are kept.
        new("sparse 50 %, uniform 4 bits", "uniform", [("bits", 4)], 21, 18) { Sparsity = 0.5 },
        // SparseRows, for a weight that is kept: column, value and input one by one.
        new("sparse 80 %, uniform 4 bits", "uniform", [("bits", 4)], 9, 20) { Sparsity = 0.8 },
        new("sparse 90 %, uniform 4 bits", "uniform", [("bits", 4)], 5, 11) { Sparsity = 0.9 },
        new("sparse 95 %, uniform 4 bits", "uniform", [("bits", 4)], 3, 6) { Sparsity = 0.95 },
    ];

    /// <summary>The part of the weights that are pruned first, those of least magnitude.</summary>
    public double Sparsity { get; init; }

    /// <summary>Encodes a matrix and opens it as an application does.</summary>
    public PackedTensor Encode(float[] weights, int rows, int columns)
    {
        if (Codec == "crvq")
        {
            return RandomCodes.Crvq(rows, columns);
        }

        var codec = CodecTable.Find(Codec)!;
        codec = Sparsity == 0 ? codec : new PruneCodec(new(Sparsity, null, Saliency.Magnitude, false, null, default), codec);
        var encoder = codec.Configure(new SettingValues(codec.Settings, Settings.ToDictionary(s => s.Item1, s => s.Item2)), 0);
        var matrix = WeightMatrix.FromArray(weights, rows, columns);
        var statistics = encoder.Needs == StatisticKinds.None ? null : new LayerStatistics { Tokens = 1, SquaredGradients = Gradients(rows, columns) };
        return DecodedTensor.Open(encoder.Encode(matrix, statistics, CancellationToken.None), DType.F32, [rows, columns]);
    }

    // For each 128 columns of a row such a gradient that best depths scatter by one bit.
    private static double[] Gradients(int rows, int columns)
    {
        float[] bits = RandomWeights.Gaussian((rows * columns / 128) + 1, seed: 7);
        double[] gradients = new double[rows * columns];
        for (int i = 0; i < gradients.Length; i++)
        {
            gradients[i] = Math.Pow(4, bits[i / 128]);
        }

        return gradients;
    }

    /// <summary>Those whose label contains the text after <c>--only</c>, or all.</summary>
    public static IEnumerable<PackedMatrices> Chosen(string[] args) =>
        All.Where(row => Array.IndexOf(args, "--only") is not (>= 0 and var at) || row.Label.Contains(args[at + 1], StringComparison.Ordinal));

    /// <summary>The value after an option such as <c>--size</c>, or the default.</summary>
    public static int Option(string[] args, string name, int value) =>
        Array.IndexOf(args, name) is int at && at >= 0 && at + 1 < args.Length ? int.Parse(args[at + 1], null) : value;
}
