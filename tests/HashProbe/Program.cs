using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using System.Text;
using Compress.Core.Allocation;
using Compress.Core.Calibration;
using Compress.Core.Codecs.LowRank;
using Compress.Core.Codecs.Sparse;
using Compress.Core.Codecs;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels.Gradients;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Core.Numerics.LinearAlgebra;
using Compress.Core.Numerics;
using Compress.Core.Pruning;
using Compress.Runtime;

// Encodes fixed matrices with every codec and prints what the process is able to do, then a hash of each result. The tests start it
// with vector instructions switched off, other thread counts and cultures, and compare.
// usage: HashProbe THREADS MODELS_FOLDER
int threads = int.Parse(args[0], CultureInfo.InvariantCulture);

// A culture with other signs (the tests run without culture data, so it is made here).
var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
(culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NegativeSign, culture.NumberFormat.NumberGroupSeparator) = (",", "−", ".");
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = culture;

Console.WriteLine($"Vector128 {Vector128.IsHardwareAccelerated} Vector256 {Vector256.IsHardwareAccelerated} Vector512 {Vector512.IsHardwareAccelerated}");

(int Rows, int Columns)[] shapes = [(40, 1024), (3, 2500), (5, 172), (70, 54), (9, 1), (1, 4097), (130, 150)];
(string Codec, (string Name, object Value)[] Settings)[] encodings =
[
    ("higgs", []),
    ("higgs", [("bits", 2), ("groupSize", 128)]),
    ("higgs", [("n", 200)]),
    ("higgs", [("bits", 3), ("p", 2)]),
    ("higgs", [("bits", 4), ("p", 2), ("groupSize", 64)]),
    ("higgs", [("bits", 5), ("p", 2)]),
    ("higgs", [("n", 88), ("p", 2), ("groupSize", 64)]),
    ("higgs", [("n", 830), ("p", 3), ("groupSize", 128)]),
    ("higgs", [("bits", 2), ("p", 4)]),
    ("higgs", [("bits", 1), ("p", 8), ("groupSize", 64)]),
    ("higgs", [("bits", 3), ("feedback", "gptq")]),
    ("higgs", [("bits", 3), ("p", 2), ("groupSize", 32), ("feedback", "gptq"), ("actOrder", false)]),
    ("higgs", [("bits", 2), ("p", 3), ("groupSize", 32), ("feedback", "gptq")]),
    ("cvxq", []),
    ("cvxq", [("bits", 2.5), ("quantizer", "laplace"), ("groupSize", 64), ("sensitivity", "inputs")]),
    ("cvxq", [("bits", 3.0), ("groupSize", 64), ("grouping", "clusters"), ("sensitivity", "inputs"), ("entropy", true)]),
    ("uniform", []),
    ("uniform", [("bits", 4), ("entropy", true)]),
    ("uniform", [("bits", 3), ("symmetric", true), ("clip", "mse")]),
    ("uniform", [("bits", 4), ("granularity", "channel"), ("clip", "mse")]),
    ("uniform", [("bits", 5), ("granularity", "tensor")]),
    ("uniform", [("bits", 3), ("feedback", "gptq")]),
    ("uniform", [("bits", 4), ("granularity", "channel"), ("clip", "mse"), ("feedback", "gptq"), ("actOrder", false)]),
    ("aqlm", [("codebookBits", 4), ("objective", "outputs")]),
    ("crvq", [("codebookBits", 4), ("codebooks", 3), ("critical", 20), ("objective", "outputs")]),
    ("kmeans", []),
    ("hashed", [("share", 3)]),
    ("kmeans", [("bits", 2), ("shareRows", 3), ("clustering", "lloyd"), ("weighting", "inputs")]),
    ("kmeans", [("bits", 6), ("shareRows", 1), ("entropy", true)]),
];
RuntimeOptions.MaxThreads = threads;
var jobs = encodings.SelectMany(encoding => shapes.Select(shape => (encoding, shape))).ToArray();
var lines = new string[jobs.Length];
Parallel.For(0, jobs.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
{
    var ((name, settings), (rows, columns)) = jobs[i];
    var codec = CodecTable.Find(name)!;
    var encoder = codec.Configure(new SettingValues(codec.Settings, settings.ToDictionary(s => s.Name, s => s.Value)), seed: 7);
    bool transposed = rows == 70; // the moments of inputs are then those of rows
    int inputs = transposed ? rows : columns;
    var statistics = encoder.Needs == StatisticKinds.None || inputs > 200 ? null : new LayerStatistics { Tokens = 100, InputSecondMoments = Moments(inputs, 100), InputMeans = [.. Weights(1, inputs).Select(mean => (double)mean)], Transposed = transposed };
    var encoded = encoder.Encode(WeightMatrix.FromArray(Weights(rows, columns), rows, columns), statistics, CancellationToken.None);
    lines[i] = $"{Hash(encoded)} {name} {encoder.Settings} [{rows}, {columns}]".Replace(culture.NumberFormat.NegativeSign, "-", StringComparison.Ordinal);
});
Array.ForEach(lines, Console.WriteLine);

// Factors of wide and tall matrices, packed in any way, and of what a method leaves.
foreach (var (rank, bits, whitened, residual) in new (int?, double?, bool, bool)[] { (7, null, false, false), (null, 4.0, true, false), (5, null, true, true) })
{
    foreach (var (rows, columns) in new[] { (70, 54), (9, 130), (130, 9) })
    {
        var codec = new LowRankCodec(new(rank, null, bits, whitened, residual, null, default), CodecTable.All[0]);
        var encoder = codec.Configure(new SettingValues(codec.Settings, new Dictionary<string, object> { ["groupSize"] = 16, ["bits"] = 3 }), seed: 7);
        bool transposed = rows == 70;
        int inputs = transposed ? rows : columns;
        var statistics = new LayerStatistics { Tokens = 100, InputSecondMoments = Moments(inputs, 100), Transposed = transposed };
        var encoded = encoder.Encode(WeightMatrix.FromArray(Weights(rows, columns), rows, columns), whitened ? statistics : null, CancellationToken.None);
        Console.WriteLine($"{Hash(encoded)} lowrank [{rows}, {columns}] {whitened} {residual}");
    }
}

// Pruned matrices, by every saliency, and in every layout of masks.
foreach (var (sparsity, pattern, by) in new (double?, (int, int)?, Saliency)[]
    { (0.5, null, Saliency.Magnitude), (0.9, null, Saliency.Magnitude), (null, (1, 2), Saliency.Magnitude), (0.8, null, Saliency.Wanda), (0.6, null, Saliency.SparseGpt), (null, (1, 2), Saliency.SparseGpt) })
{
    foreach (var (rows, columns) in new[] { (70, 54), (9, 130), (130, 10) })
    {
        var codec = new PruneCodec(new(sparsity, pattern, by, false, null, default), CodecTable.Find("kmeans")!);
        var encoder = codec.Configure(new SettingValues(codec.Settings, new Dictionary<string, object> { ["bits"] = 3 }), seed: 7);
        bool transposed = rows == 70;
        int inputs = transposed ? rows : columns;
        var statistics = by == Saliency.Magnitude ? null : new LayerStatistics { Tokens = 100, InputSecondMoments = Moments(inputs, 100), Transposed = transposed };
        var encoded = encoder.Encode(WeightMatrix.FromArray(Weights(rows, columns), rows, columns), statistics, CancellationToken.None);
        Console.WriteLine($"{Hash(encoded)} prune [{rows}, {columns}] {encoder.Settings}".Replace(culture.NumberFormat.NegativeSign, "-", StringComparison.Ordinal));
    }
}

// Stored halves hide most differences in the last bit of a sum, so sums and levels are compared by themselves.
float[] sums = [.. Enumerable.Range(0, 1500).Select(length => FixedOrder.Dot(Weights(1, length), Weights(1, length)))];
Console.WriteLine($"{Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<float>(sums)))} sums");
double[] levels = [.. Enumerable.Range(2, 255).SelectMany(LloydMax.Levels)];
Console.WriteLine($"{Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<double>(levels)))} levels");

// Linear algebra: large enough for several threads and panels, with dead and dependent inputs.
const int Order = 300;
double[] moments = Moments(Order, 200);
double[] factor = DampedCholesky.Upper(moments, [.. Enumerable.Range(0, Order)], 0.01, out _)!;
Console.WriteLine($"{HashOf(factor)} Cholesky");
Console.WriteLine($"{HashOf(new BlockLdl(factor, Order, 2).Factor)} LDL");
var eigen = SymmetricEigen.Of(moments, Order)!;
Console.WriteLine($"{HashOf([.. eigen.Values, .. eigen.Vectors])} eigenvectors");
Console.WriteLine($"{HashOf(LeastSquares.Solve(moments.AsSpan(0, Order * 70), Order, 70, moments.AsSpan(0, Order * 3), 3)!)} least squares");
// What is calibrated with a language model depends on its activations.
RuntimeOptions.MaxThreads = threads;
foreach (string folder in Directory.GetDirectories(args[1]).Order(StringComparer.Ordinal))
{
    using var model = LanguageModel.Open(folder);
    foreach (int length in new[] { 1, 13, model.MaxPositions })
    {
        float[] logits = new float[length * model.VocabularySize];
        model.Forward([.. Enumerable.Range(0, length).Select(i => i * 7 % model.VocabularySize)], logits);
        Console.WriteLine($"{Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<float>(logits)))} {Path.GetFileName(folder)} of {length} tokens");
    }

    int[][] windows = [.. Enumerable.Range(1, 9).Select(window => Enumerable.Range(0, 4 * window).Select(i => i * window % model.VocabularySize).ToArray())];
    new Calibrator(model, windows).Run(
        _ => StatisticNames.OfInputs,
        (group, moments) => Console.WriteLine(
            $"{Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<float>([.. moments.SecondMoments(), .. moments.Means()])))} inputs of {Path.GetFileName(folder)} {group.First.Name}"),
        _ => true,
        (layer, covariance) => Console.WriteLine($"{HashOf(covariance.Covariance())} outputs of {Path.GetFileName(folder)} {layer.Name}"),
        progress: null,
        CancellationToken.None);
    new GradientCalibrator(model, windows).Run(
        [.. model.Decoder.Stages.SelectMany(stage => stage).SelectMany(group => group.Layers).Select(layer => (layer, StatisticNames.OfGradients))],
        result => Console.WriteLine(
            $"{Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<float>(result.Values)))} {result.Kind} of {Path.GetFileName(folder)} {result.Layer.Name}"),
        progress: null,
        CancellationToken.None);

    using var pass = model.Record([.. Enumerable.Range(0, model.MaxPositions).Select(i => i * 7 % model.VocabularySize)]);
    float[] gradients = new float[pass.Tokens * model.VocabularySize];
    pass.ReadLogits(gradients);
    CrossEntropy.Backward(gradients, [.. Enumerable.Range(0, pass.Tokens).Select(i => i * 5 % model.VocabularySize)]);
    using var hash = new GradientHash();
    pass.BackwardFromLogits(gradients, hash);
    Console.WriteLine($"{hash.Value} gradients of {Path.GetFileName(folder)}");

    // What a budget chooses follows from costs.
    using var source = ModelFile.Open(folder);
    var probed = source.Tensors.Where(tensor => tensor.Shape.Count == 2 && model.TensorNames.Contains(tensor.Name)).Take(4)
        .SelectMany(tensor => new Probe[] { new NoiseProbe(tensor, 0.01, 1), new GridProbe(tensor, 0.01, "q", () => Quantized(tensor)) }).ToList();
    var costs = new ProbeRun(source, model, new([.. windows.Where(window => window.Length <= model.MaxPositions)], IsText: true, []), new() { StandardError = 1e-9 }, cache: null)
        .Measure(probed, null, CancellationToken.None);
    Console.WriteLine($"{Recovered(folder)} recovered {Path.GetFileName(folder)}");
    Console.WriteLine($"{HashOf([.. costs.SelectMany(cost => new[] { cost.Kl, cost.KlError, cost.LnPerplexity, cost.LnPerplexityError })])} costs of errors of {Path.GetFileName(folder)}");
}

return;

// A few steps of training what is continuous, after all layers were encoded.
static string Recovered(string model)
{
    string work = Directory.CreateTempSubdirectory("compress-probe-").FullName, recipe = Path.Combine(work, "compress.yaml"), output = Path.Combine(work, "packed.safetensors");
    File.WriteAllText(Path.Combine(work, "t.ids"), string.Join(' ', Enumerable.Range(0, 120).Select(i => i * i % 11)));
    File.WriteAllText(recipe, "bits: 2\ngroupSize: 16\nlayers:\n- match: '*.0.*'\n  method: aqlm\n  codebookBits: 4\nrecover: { text: t.ids, window: 8, steps: 2, blocks: { steps: 2 } }\n");
    var diagnostics = new DiagnosticBag();
    var report = Compressor.Run(new(model, recipe, output), diagnostics, null, CancellationToken.None) ?? throw new InvalidOperationException(string.Join('\n', diagnostics.Items));
    string hash = $"{Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(output)))} {report.Recovery!.BestStep} {string.Join(' ', report.Recovery.Blocks!.Select(block => block.BestStep))}";
    Directory.Delete(work, recursive: true);
    return hash;
}

static PackedTensor Quantized(SourceTensor tensor)
{
    var codec = CodecTable.Find("higgs")!;
    return DecodedTensor.Open(codec.Configure(new SettingValues(codec.Settings, new Dictionary<string, object> { ["bits"] = 3 }), 0).Encode(tensor, null, CancellationToken.None), tensor.DType, tensor.Shape);
}

static string HashOf(double[] values) => Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<double>(values)));

// X Xᵀ of the same numbers as weights, every 50th row zero.
static double[] Moments(int order, int depth)
{
    float[] x = Weights(order, depth);
    double[] moments = new double[order * order];
    for (int i = 0; i < order; i++)
    {
        for (int j = 0; j <= i && i % 50 != 7; j++)
        {
            double sum = 0;
            for (int k = 0; k < depth && j % 50 != 7; k++)
            {
                sum += (double)x[(i * depth) + k] * x[(j * depth) + k];
            }

            moments[(i * order) + j] = moments[(j * order) + i] = sum / depth;
        }
    }

    return moments;
}

// Sums of uniform numbers, some rows huge, some tiny: no function of the platform's library takes part.
static float[] Weights(int rows, int columns)
{
    float[] weights = new float[rows * columns];
    ulong state = 42;
    for (int i = 0; i < weights.Length; i++)
    {
        double sum = -2;
        for (int part = 0; part < 4; part++)
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            sum += (state >> 33) / (double)(1u << 31);
        }

        weights[i] = (float)sum * ((i / columns % 5) switch { 1 => 1e-9f, 2 => 1e6f, 3 => 0, _ => 1 });
    }

    return weights;
}

static string Hash(EncodedTensor encoded)
{
    using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    hash.AppendData(Encoding.UTF8.GetBytes(encoded.Codec + encoded.Parameters.ToJsonString()));
    foreach (var part in encoded.Parts)
    {
        hash.AppendData(Encoding.UTF8.GetBytes($"{part.Name} {part.DType} {string.Join(',', part.Shape)} {part.Shared}"));
        hash.AppendData(part.Bytes);
    }

    return Convert.ToHexString(hash.GetHashAndReset());
}

internal sealed class GradientHash : IGradientObserver, IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public string Value => Convert.ToHexString(hash.GetHashAndReset());

    public void OnLinear(in LinearGradient gradient)
    {
        float[] product = new float[gradient.Rows * gradient.Columns];
        gradient.Compute(product);
        OnVector(gradient.Name, product);
    }

    public void OnVector(string name, ReadOnlySpan<float> gradient)
    {
        hash.AppendData(Encoding.UTF8.GetBytes(name));
        hash.AppendData(MemoryMarshal.AsBytes(gradient));
    }

    public void OnRows(string name, ReadOnlySpan<int> rows, ReadOnlySpan<float> gradients) => OnVector(name, gradients);

    public void Dispose() => hash.Dispose();
}
