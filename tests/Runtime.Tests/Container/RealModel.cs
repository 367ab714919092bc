using Compress.Runtime.Safetensors;
using Compress.Runtime.Tests.Infra;

namespace Compress.Runtime.Tests.Container;

/// <summary>Expected values were read with Python's struct module.</summary>
public sealed class RealModel : IDisposable
{
    private readonly PackedModel model = PackedModel.OpenFile(Assets.Stories);

    public void Dispose() => model.Dispose();

    [Fact]
    public void HasAllItsTensors()
    {
        Assert.Equal(47, model.Names.Count);
        Assert.Equal("pt", model.Metadata["format"]);
        Assert.Equal(260_032, model.Names.Sum(name => model[name].Count));
        Assert.Equal([172L, 64L], model["model.layers.0.mlp.gate_proj.weight"].Shape.ToArray());
        Assert.All(model.Names, name => Assert.Equal((DType.F32, "keep", 32.0), (model[name].DType, model[name].Codec, model[name].BitsPerWeight)));
    }

    [Theory]
    [InlineData("model.norm.weight", 2.4583089351654053, 1.3673226833343506, 1.7077769041061401)]
    [InlineData("model.layers.0.self_attn.q_proj.weight", 0.04439278692007065, 0.07974770665168762, 0.034809552133083344)]
    [InlineData("model.layers.4.mlp.down_proj.weight", -0.04791264981031418, -0.02296368032693863, -0.0035068716388195753)]
    public void HasTheFilesValues(string name, double first, double second, double last)
    {
        var tensor = model[name];
        float[] values = new float[tensor.Count];
        tensor.Dequantize(values);
        Assert.Equal(first, values[0]);
        Assert.Equal(second, values[1]);
        Assert.Equal(last, values[^1]);

        Assert.True(tensor.TryGetSpan<float>(out var span));
        Assert.True(span.SequenceEqual(values));
    }
}
