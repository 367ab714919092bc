using Compress.Runtime;
using Compress.Torch;
using static TorchSharp.torch;

namespace Compress.TorchSharp.Tests;

public sealed class RecordingStatistics : Workshop
{
    [Fact]
    public void GivesMeansAndSecondMomentsOfInputs()
    {
        using var module = new Network();
        module.eval();
        using var a = randn(5, 12);
        using var b = randn(2, 12);
        using (var recorder = new CalibrationRecorder(module))
        {
            using (NewDisposeScope())
            {
                module.call(a);
                module.call(b);
            }

            recorder.Write(PathOf("stats.safetensors"));
        }

        using var file = PackedModel.OpenFile(PathOf("stats.safetensors"));
        Assert.Equal(6, file.Names.Count);
        Assert.Contains("\"tokens\":7", file.Metadata["compress.statistics"], StringComparison.Ordinal);
        using var x = cat([a, b]);
        using var wide = x.to_type(ScalarType.Float64);
        using var mean = wide.mean([0]);
        using var turned = wide.t();
        using var products = turned.mm(wide);
        Near(Floats(mean), Values(file["first.weight.inputMeans"]), 1e-6f);
        Near([.. Floats(products).Select(value => value / 7)], Values(file["first.weight.inputSecondMoments"]), 1e-5f);
    }

    // What it writes is what a recipe takes.
    [Fact]
    public void GivesAFileThatRecipesTake()
    {
        using var module = nn.Sequential(("fc", nn.Linear(32, 16)));
        using (var recorder = new CalibrationRecorder(module))
        {
            using var x = randn(200, 32);
            module.call(x).Dispose();
            recorder.Write(PathOf("stats.safetensors"));
        }

        const string Recipe = "layers: [{ match: fc.weight, method: higgs, bits: 4, groupSize: 32, feedback: gptq }]";
        float[] with = new float[32 * 16], without = new float[32 * 16];
        Packed(module, $"calibration: {{ statistics: {PathOf("stats.safetensors").Replace('\\', '/')} }}\n" + Recipe)["fc.weight"].Dequantize(with);
        Packed(module, "layers: [{ match: fc.weight, method: higgs, bits: 4, groupSize: 32 }]")["fc.weight"].Dequantize(without);
        Assert.NotEqual(without, with);
    }

    [Fact]
    public void LeavesOutTokensThatAreNotFinite()
    {
        using var module = nn.Sequential(("fc", nn.Linear(4, 2)));
        using var recorder = new CalibrationRecorder(module);
        using var x = tensor(new float[] { 1, 2, 3, 4, float.NaN, 0, 0, 0, 5, 6, 7, float.PositiveInfinity }).reshape(3, 4);
        module.call(x).Dispose();
        recorder.Write(PathOf("s"));
        using var file = PackedModel.OpenFile(PathOf("s"));
        Assert.Equal([1f, 2f, 3f, 4f], Values(file["fc.weight.inputMeans"]));
        Assert.Contains("\"skipped\":2", file.Metadata["compress.statistics"], StringComparison.Ordinal);
    }

    [Fact]
    public void EndsWithTheRecorder()
    {
        using var module = nn.Sequential(("fc", nn.Linear(4, 2)));
        using var x = ones(1, 4);
        var recorder = new CalibrationRecorder(module);
        module.call(x).Dispose();
        recorder.Dispose();
        module.call(x).Dispose();
        recorder.Write(PathOf("s"));
        using var file = PackedModel.OpenFile(PathOf("s"));
        Assert.Contains("\"tokens\":1,", file.Metadata["compress.statistics"], StringComparison.Ordinal);
    }

    [Fact]
    public void NeedsThatEachLayerRan()
    {
        using var module = nn.Sequential(("fc", nn.Linear(4, 2)));
        using var recorder = new CalibrationRecorder(module);
        Assert.Contains("'fc.weight'", Assert.Throws<InvalidOperationException>(() => recorder.Write(PathOf("s"))).Message, StringComparison.Ordinal);
        using var narrow = new CalibrationRecorder(module, maxWidth: 3);
        Assert.Equal(["fc.weight"], narrow.PassedOver);
    }

    private static float[] Values(PackedTensor tensor)
    {
        Assert.True(tensor.TryGetSpan<double>(out var values));
        return [.. values.ToArray().Select(value => (float)value)];
    }
}
