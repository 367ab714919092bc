using Compress.Torch;
using static TorchSharp.torch;

namespace Compress.TorchSharp.Tests;

public sealed class PackedLayers : Workshop
{
    private const string FourBits = "layers: [{ match: ['first.weight', 'rest.*.weight', 'weight', 'fc.weight'], method: uniform, bits: 4 }]";

    [Fact]
    public void TakeThePlacesOfLinearLayers()
    {
        using var module = new Network();
        module.eval();
        var packed = Packed(module, FourBits);
        packed.LoadInto(module);
        using var x = randn(5, 12);
        using var before = module.call(x);

        Assert.Equal(["first", "rest.a", "rest.b"], Compressed.ReplaceLinears(module, packed));

        using var after = module.call(x);
        Near(Floats(before), Floats(after));
        Assert.IsType<PackedLinear>(module.named_modules().First(child => child.name == "first").module);
        Assert.IsType<PackedLinear>(module.named_modules().First(child => child.name == "rest.b").module);
        Assert.DoesNotContain("first.weight", module.state_dict().Keys);
    }

    [Fact]
    public void TakeNoPlaceInAModuleWhereOneDoesNotFit()
    {
        using var module = new Rigid();
        string message = Assert.Throws<InvalidDataException>(() => Compressed.ReplaceLinears(module, Packed(module, FourBits))).Message;
        Assert.Contains("declare Rigid.fc as Module<Tensor, Tensor>", message, StringComparison.Ordinal);
        Assert.Contains("fc.weight", module.state_dict().Keys);
    }

    [Theory]
    [InlineData(new long[] { 12 }, new long[] { 8 })]
    [InlineData(new long[] { 1, 12 }, new long[] { 1, 8 })]
    [InlineData(new long[] { 2, 3, 12 }, new long[] { 2, 3, 8 })]
    [InlineData(new long[] { 0, 12 }, new long[] { 0, 8 })]
    public void MultiplyAnyBatch(long[] shape, long[] expected)
    {
        using var linear = nn.Linear(12, 8);
        var packed = Packed(linear, FourBits);
        packed.LoadInto(linear);
        using var layer = new PackedLinear(packed["weight"], Floats(linear.bias!));
        using var x = randn(shape);
        using var y = layer.call(x);
        using var reference = linear.call(x);
        Assert.Equal(expected, y.shape);
        Near(Floats(reference), Floats(y));
    }

    [Fact]
    public void TakeInputsThatAreNotContiguousOrNotFloats()
    {
        using var linear = nn.Linear(12, 8, hasBias: false);
        var packed = Packed(linear, FourBits);
        packed.LoadInto(linear);
        using var layer = new PackedLinear(packed["weight"]);
        using var x = randn(12, 4);
        using var turned = x.t();
        using var reference = linear.call(turned);
        using var y = layer.call(turned);
        Near(Floats(reference), Floats(y));

        using var halves = turned.to_type(ScalarType.BFloat16);
        using var z = layer.call(halves);
        Assert.Equal(ScalarType.BFloat16, z.dtype);
        Near(Floats(reference), Floats(z), 0.1f);
    }

    [Fact]
    public void RefuseInputsOfAnotherWidth()
    {
        using var linear = nn.Linear(12, 8);
        using var layer = new PackedLinear(Packed(linear, FourBits)["weight"]);
        using var x = ones(2, 11);
        Assert.Throws<ArgumentException>(() => layer.call(x));
        Assert.Throws<ArgumentException>(() => new PackedLinear(layer.Weight, new float[7]));
    }

    [Fact]
    public void GiveTheirResultsToDisposeScopes()
    {
        using var linear = nn.Linear(12, 8);
        using var layer = new PackedLinear(Packed(linear, FourBits)["weight"]);
        Tensor y;
        using (NewDisposeScope())
        {
            y = layer.call(ones(2, 12));
            Assert.False(y.IsInvalid);
        }

        Assert.True(y.IsInvalid);
    }
}
