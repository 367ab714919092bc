using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Models;

/// <summary>Expected values and hashes were computed with Python's struct and hashlib.</summary>
public sealed class RealModel : IDisposable
{
    private readonly ModelFile model = ModelFile.Open(Assets.Stories);

    public void Dispose() => model.Dispose();

    [Fact]
    public void HasAllTensorsInOrdinalOrder()
    {
        Assert.Equal(47, model.Tensors.Count());
        Assert.Equal(260_032, model.Tensors.Sum(tensor => tensor.Count));
        Assert.Equal(model.Header.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal), model.Tensors.Select(t => t.Name));
        Assert.Equal([Assets.Stories], model.Header.Files);
    }

    [Theory]
    [InlineData("model.norm.weight", "0e94e5b6ed76295de67218f03110c2ffaba21db46cc8a5ccd716bd8ebaf024f7")]
    [InlineData("model.layers.2.mlp.down_proj.weight", "93be7a574985373a37c95888c99d3f129577e5d0958674589f9299b614e35eee")]
    public void HashesToTheBytesOfTheFile(string name, string sha256) =>
        Assert.Equal(sha256, Convert.ToHexStringLower(model[name].ContentHash()));

    [Fact]
    public void ReadsRows()
    {
        var tensor = model["model.layers.2.mlp.down_proj.weight"];
        Assert.Equal((64, 172, DType.F32), (tensor.Rows, tensor.Columns, tensor.DType));
        float[] row = new float[172];
        tensor.ReadRows(3, 1, row);
        Assert.Equal(-0.05126636102795601, row[0]);
        Assert.Equal(0.024993814527988434, row[1]);
    }

    [Fact]
    public void IsFinite() => Assert.All(model.Tensors, tensor => Assert.Null(tensor.FirstNonFinite()));
}
