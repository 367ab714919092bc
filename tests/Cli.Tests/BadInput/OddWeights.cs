using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Cli.Tests.BadInput;

public sealed class OddWeights : IDisposable
{
    private readonly Workspace workspace = new();

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "infinity")]
    [InlineData(float.NegativeInfinity, "-infinity")]
    public void NonFiniteValueNamesTensorAndIndex(float value, string text)
    {
        string model = workspace.Model(WithOddValue(value));
        byte[] lastGood = [1, 2, 3];
        File.WriteAllBytes(workspace["model.packed.safetensors"], lastGood);
        var outcome = workspace.Run("run", model, "--no-cache");
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.StartsWith(
            $"{model}(1,1): error CMPR2005: tensor 'odd.weight' has the value {text} at index 1234; ",
            outcome.Single(Codes.ModelNonFinite), StringComparison.Ordinal);
        Assert.Equal(lastGood, File.ReadAllBytes(workspace["model.packed.safetensors"]));
        Assert.Equal(["model.packed.safetensors", "model.safetensors"], workspace.Files());
    }

    [Fact]
    public void NonFiniteKeepStoresTheTensorAsItIs()
    {
        string recipe = workspace.Text("r.yaml", "version: 1\nnonFinite: keep\n");
        using var packed = PackedModel.OpenFile(workspace.Packed(workspace.Model(WithOddValue(float.NaN)), "--recipe", recipe));
        Assert.Equal(("keep", "higgs"), (packed["odd.weight"].Codec, packed["layers.0.up.weight"].Codec));
        float[] values = new float[64 * 64];
        packed["odd.weight"].Dequantize(values);
        Assert.Equal(1234, Array.FindIndex(values, float.IsNaN));
    }

    [Fact]
    public void EveryBadTensorIsNamed()
    {
        string model = workspace.Model(new TestModel()
            .Add("a.weight", [64, 64], [.. Enumerable.Repeat(float.NaN, 64 * 64)])
            .Add("b.weight", [64, 64], [.. Enumerable.Repeat(float.NaN, 64 * 64)]));
        var outcome = workspace.Run("run", model, "--no-cache");
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.Equal(["'a.weight'", "'b.weight'"], outcome.Diagnostics.Select(line => line.Split(' ').First(word => word.EndsWith(".weight'", StringComparison.Ordinal))));
    }

    [Fact]
    public void ZeroSizedTensorsAreKept()
    {
        string model = workspace.Model(TestModel.Ordinary()
            .Add("none", DType.F32, [0], [])
            .Add("rows.weight", DType.F32, [0, 64], [])
            .Add("columns.weight", DType.F16, [64, 0], [])
            .Add("scalar", DType.F32, [], new byte[4]));
        string file = workspace.Packed(model);
        using var packed = PackedModel.OpenFile(file);
        Assert.Equal(8, packed.Names.Count);
        Assert.Equal([64, 0], packed["columns.weight"].Shape.ToArray());
        Assert.Equal(ExitCodes.Ok, workspace.Run("verify", file, "--against", model).ExitCode);
    }

    [Fact]
    public void AModelOfZeroSizedTensorsOnlyIsPacked()
    {
        string model = workspace.Model(new TestModel().Add("none.weight", DType.F32, [0, 64], []));
        var outcome = workspace.Run("run", model, "--no-cache");
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.Contains("nothing compressed", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void AllZeroAndConstantMatricesArePacked()
    {
        string model = workspace.Model(new TestModel()
            .Add("zero.weight", [64, 64], new float[64 * 64])
            .Add("one.weight", [64, 64], [.. Enumerable.Repeat(1f, 64 * 64)]));
        var outcome = workspace.Run("verify", workspace.Packed(model), "--against", model);
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.Matches(@"zero\.weight +higgs +\S+ +0\n", outcome.Output);
    }

    public void Dispose() => workspace.Dispose();

    private static TestModel WithOddValue(float value)
    {
        float[] values = TestModel.Gaussian(64 * 64, 7);
        values[1234] = value;
        return TestModel.Ordinary().Add("odd.weight", [64, 64], values);
    }
}
