using Compress.Core.Caching;
using Compress.Core.Codecs;
using Compress.Core.Codecs.LowRank;
using Compress.Core.Compression;
using Compress.Core.Models;
using Compress.Core.Recovery;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Recovery;

public sealed class TrainedNumbers : IDisposable
{
    private readonly TempFolder folder = new();

    public static TheoryData<string, string, int, int> Tensors => new()
    {
        { "higgs", "bits=3 groupSize=16", 3, 40 },
        { "higgs", "bits=2 p=2 groupSize=32", 5, 54 },
        { "higgs", "bits=2 p=3 groupSize=64 entropy=true", 2, 130 },
        { "uniform", "bits=3 groupSize=16", 4, 40 },
        { "uniform", "bits=4 granularity=channel symmetric=true", 7, 9 },
        { "uniform", "bits=4 granularity=tensor", 7, 9 },
        { "aqlm", "codebookBits=4", 20, 21 },
        { "crvq", "codebookBits=4 codebooks=3 critical=30", 20, 50 },
        { "crvq", "codebookBits=4 critical=100 entropy=true", 20, 16 },
        { "kmeans", "bits=3", 7, 40 },
        { "kmeans", "bits=5 shareRows=3 entropy=true", 8, 40 },
        { "hashed", "share=3", 7, 20 },
        { "cvxq", "bits=3 groupSize=64", 4, 150 },
        { "cvxq", "bits=2 groupSize=64 quantizer=laplace", 4, 150 },
        { "prune", "keep", 9, 20 },
        { "prune", "kmeans", 9, 70 },
        { "lowrank", "rank=3 bits=4 groupSize=16", 9, 20 },
        { "lowrank", "rank=4", 9, 20 },
        { "lowrank", "rank=2 residual=true bits=3 groupSize=16", 6, 33 },
        { "lowrank", "rank=0 residual=true bits=3 groupSize=16", 6, 33 },
        { "lowrank", "rank=2 cvxq=true", 70, 3 },
    };

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Tensors))]
    public void StandForTheWeightsThatAreDecoded(string method, string settings, int rows, int columns)
    {
        var (trained, encoded) = Trained(method, settings, rows, columns);
        float[] decoded = new float[rows * columns], weights = new float[rows * columns];
        DecodedTensor.Open(encoded, DType.F32, [rows, columns]).Dequantize(decoded);
        trained.Weights(trained.Start, weights);
        Assert.All(Enumerable.Range(0, weights.Length), i => Assert.Equal(decoded[i], weights[i], 2e-6));
    }

    [Theory]
    [MemberData(nameof(Tensors))]
    public void AreWrittenAsTheyWereRead(string method, string settings, int rows, int columns)
    {
        var (trained, _) = Trained(method, settings, rows, columns);
        Assert.All(trained.Write(trained.Start), written => Assert.Equal(StoredTensor.Bytes(trained.Entry.Arrays.Single(array => array.Name == written.Array)), written.Bytes));
    }

    // Weights are linear in each number: differences are exact but for rounding.
    [Theory]
    [MemberData(nameof(Tensors))]
    public void HaveTheGradientsOfDifferences(string method, string settings, int rows, int columns)
    {
        var (trained, _) = Trained(method, settings, rows, columns);
        float[] slope = RandomWeights.Gaussian(rows * columns, seed: 9), weights = new float[rows * columns], gradient = new float[trained.Start.Length];
        trained.AddGradient(trained.Start, slope, gradient);
        for (int i = 0; i < gradient.Length; i++)
        {
            float step = Math.Max(trained.Units[i], 0.1f);
            double difference = (Loss(i, step) - Loss(i, -step)) / (2 * step);
            Assert.Equal(difference, gradient[i], 1e-4 * (1 + Math.Abs(difference)));
        }

        double Loss(int index, float step)
        {
            float[] values = [.. trained.Start];
            values[index] += step;
            trained.Weights(values, weights);
            return weights.Zip(slope).Sum(pair => (double)pair.First * pair.Second);
        }
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void OfAVectorAreItself(DType type)
    {
        byte[] bytes = type switch { DType.F32 => [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0], DType.F16 => [0, 0x3C, 0, 0xC0], _ => [0x80, 0x3F, 0, 0xC0] };
        new TestModel().Add("v", type, [2], bytes).Write(folder["m.safetensors"]);
        using var model = ModelFile.Open(folder["m.safetensors"]);
        var trained = TrainableTensors.Of(KeptTensor.AsStored(model["v"]), model["v"])!;
        Assert.Equal([1f, -2f], trained.Start);
        Assert.Equal(bytes, trained.Write([1f, -2f]).Single().Bytes);
        float[] gradient = [1, 1];
        trained.AddGradient(trained.Start, [3f, 4f], gradient);
        Assert.Equal([4f, 5f], gradient);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2.5)]
    public void LossHasTheGradientOfDifferences(double temperature)
    {
        const int Tokens = 2, Words = 5;
        float[] logits = RandomWeights.Gaussian(Tokens * Words, seed: 3), source = RandomWeights.Gaussian(Tokens * Words, seed: 4), gradient = [.. logits];
        DivergenceGradient.Compute(gradient, [.. source], Tokens, temperature, 0.5);
        for (int i = 0; i < logits.Length; i++)
        {
            const double Step = 1e-5;
            double[] above = Array.ConvertAll(logits, value => (double)value), below = [.. above];
            above[i] += Step;
            below[i] -= Step;
            Assert.Equal(0.5 * temperature * temperature * (Loss(above) - Loss(below)) / (2 * Step), gradient[i], 1e-5);
        }

        double Loss(double[] packed) => Enumerable.Range(0, Tokens).Sum(token =>
        {
            double[] p = Softmax([.. source.Skip(token * Words).Take(Words).Select(value => (double)value)]), q = Softmax([.. packed.Skip(token * Words).Take(Words)]);
            return p.Zip(q).Sum(pair => pair.First * Math.Log(pair.First / pair.Second));
        });

        double[] Softmax(double[] values)
        {
            double sum = values.Sum(value => Math.Exp(value / temperature));
            return [.. values.Select(value => Math.Exp(value / temperature) / sum)];
        }
    }

    private (Trainable Trained, EncodedTensor Encoded) Trained(string method, string settings, int rows, int columns)
    {
        float[] weights = RandomWeights.Gaussian(rows * columns);
        var pairs = method == "prune" ? [] : settings.Split(' ').Select(word => word.Split('=')).ToDictionary(word => word[0], word => Value(word[1]));
        var encoder = method == "prune" ? Pruning.PrunedWeights.Encoder(0.9, method: settings) : method == "lowrank" ? LowRank(pairs) : Encoders.Of(method, [.. pairs.Select(pair => (pair.Key, pair.Value))]);
        var encoded = encoder.Encoded(weights, rows, columns);
        new TestModel().Add("w", [rows, columns], weights).Write(folder["m.safetensors"]);
        using var model = ModelFile.Open(folder["m.safetensors"]);
        using (var stream = File.Create(folder["entry"]))
        {
            LayerEntry.Write(stream, encoded, DType.F32, [rows, columns], default);
        }

        return (TrainableTensors.Of(LayerEntry.Read(folder["entry"])!.As("w"), model["w"])!, encoded);

        // Factors by uniform, by a method with nothing to train in a part of so few columns, or kept.
        static ILayerEncoder LowRank(Dictionary<string, object> pairs)
        {
            ICodec factors = pairs.ContainsKey("bits") ? CodecTable.Find("uniform")! : pairs.Remove("cvxq") ? CodecTable.Find("cvxq")! : new KeptElements(DType.F16);
            bool residual = pairs.Remove("residual");
            pairs.Remove("rank", out object? rank);
            return new LowRankCodec(new((int)rank!, null, null, false, residual, null, default), factors).Configure(new SettingValues(factors.Settings, pairs), seed: 7);
        }

        static object Value(string word) => int.TryParse(word, out int number) ? number : bool.TryParse(word, out bool flag) ? flag : word;
    }
}
