using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Compression;
using Compress.Core.Emit;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Core.Recovery;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.LanguageModels;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Recovery;

public sealed class BlockLoss : IDisposable
{
    private readonly TempFolder folder = new();

    public static TheoryData<string> Models => GoldenLogits.Models;

    public void Dispose() => folder.Dispose();

    [Theory, MemberData(nameof(Models))]
    public void IsOfAllTensorsOfTheBlocks(string name)
    {
        using var model = LanguageModel.Open(Path.Combine(Assets.LanguageModels, name));
        string[] blocks = [.. model.Decoder.Layers.SelectMany(layer => layer.TensorNames).Order(StringComparer.Ordinal)];
        Assert.Equal(model.TensorNames.Where(tensor => tensor.Contains("layers.", StringComparison.Ordinal) || tensor.Contains("h.", StringComparison.Ordinal)).Order(StringComparer.Ordinal), blocks);
    }

    // Of the second block, whose input has gone through the first.
    [Theory, MemberData(nameof(Models))]
    public void HasTheGradientOfDifferences(string name)
    {
        using var file = ModelFile.Open(Path.Combine(Assets.LanguageModels, name));
        using LanguageModel source = LanguageModel.Open(file), packed = LanguageModel.Open(file);
        var windows = Windows(source.VocabularySize);
        Of(file, packed, 0);
        var set = Of(file, packed, 1);
        var streams = new BlockStreams(source, packed, windows, 100);
        streams.MoveTo(1, CancellationToken.None);
        var loss = new BlockOutputs(packed, 1, set, streams, seed: 5);
        float[] start = set.Start, gradient = new float[set.Count];
        loss.Gradient(start, 3, gradient, CancellationToken.None);
        double greatest = set.Units.Zip(gradient).Max(pair => Math.Abs(pair.First * pair.Second));
        for (int i = 0; i < start.Length; i += 1 + (start.Length / 60))
        {
            float step = 0.01f * set.Units[i];
            double difference = step == 0 ? 0 : (Loss(i, step) - Loss(i, -step)) / (0.02 * greatest);
            Assert.Equal(difference, set.Units[i] * gradient[i] / greatest, 0.02 * Math.Max(Math.Abs(difference), 0.1));
        }

        double Loss(int index, float step)
        {
            float[] values = [.. start];
            values[index] += step;
            set.UseValues(packed, values);
            int[] batch = loss.Batch(3);
            double tokens = batch.Sum(window => streams.Lengths[window]), held = streams.Lengths[streams.TrainedCount..].Sum();
            return loss.Error(batch, CancellationToken.None) / streams.Energy * held / tokens;
        }
    }

    [Fact]
    public void IsBetweenThePackedModelAndItsSource()
    {
        using var file = ModelFile.Open(Path.Combine(Assets.LanguageModels, "llama"));
        using LanguageModel source = LanguageModel.Open(file), packed = LanguageModel.Open(file);
        var windows = Windows(source.VocabularySize);
        var set = Of(file, packed, 0);
        var streams = new BlockStreams(source, packed, windows, 100);
        streams.MoveTo(0, CancellationToken.None);
        set.UseStored(packed, Array.ConvertAll(set.Start, value => 1.1f * value));
        streams.MoveTo(1, CancellationToken.None);
        int[] tokens = windows.HeldOut[0].Tokens;
        float[] x = new float[tokens.Length * source.Decoder.LayerWidth];
        packed.Decoder.Embed(tokens, x);
        packed.Decoder.Layers[0].Apply(x, tokens.Length);
        Assert.Equal(x, streams.Inputs[streams.TrainedCount]);
        float[] y = new float[x.Length];
        source.Decoder.Embed(tokens, y);
        source.Decoder.Layers[0].Apply(y, tokens.Length);
        float[] before = [.. y];
        source.Decoder.Layers[1].Apply(y, tokens.Length);
        Assert.Equal(y, streams.Outputs[streams.TrainedCount]);
        Assert.Equal(y.Zip(before).Sum(pair => Math.Pow((double)pair.First - pair.Second, 2)), streams.Energy, 1e-4 * streams.Energy);
    }

    private static RecoveryWindows Windows(int vocabulary)
    {
        int[][] all = [.. Enumerable.Range(0, 9).Select(window => Enumerable.Range(0, 7 + window).Select(i => ((window * 31) + (i * i)) % vocabulary).ToArray())];
        return new(new CalibrationText(all, "", []), new RecoverySettings(new CalibrationSettings("t")));
    }

    // A block with all its matrices in 3 bits, given to the model.
    private TrainableSet Of(ModelFile file, LanguageModel packed, int block)
    {
        var set = new TrainableSet([.. packed.Decoder.Layers[block].TensorNames.Select(name => TrainableTensors.Of(Entry(file[name]), file[name])!)]);
        set.UseStored(packed, set.Start);
        return set;
    }

    private PackedEntry Entry(SourceTensor tensor)
    {
        if (tensor.Shape.Count == 1)
        {
            return KeptTensor.AsStored(tensor);
        }

        float[] weights = new float[tensor.Count];
        tensor.ReadRows(0, tensor.Rows, weights);
        using (var stream = File.Create(folder[tensor.Name]))
        {
            LayerEntry.Write(stream, Encoders.Of("uniform", ("bits", 3), ("groupSize", 16)).Encoded(weights, tensor.Rows, tensor.Columns), DType.F32, [tensor.Rows, tensor.Columns], default);
        }

        return LayerEntry.Read(folder[tensor.Name])!.As(tensor.Name);
    }
}
