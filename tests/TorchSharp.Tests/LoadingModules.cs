using Compress.Runtime;
using Compress.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Compress.TorchSharp.Tests;

public sealed class LoadingModules : Workshop
{
    [Fact]
    public void GivesWhatWasSaved()
    {
        using var saved = new Network();
        using var loaded = new Network();
        Packed(saved, Kept).LoadInto(loaded);
        Assert.Equal(Bytes(saved), Bytes(loaded));
    }

    [Fact]
    public void TakesTheGeneratedClass()
    {
        using var saved = new Network();
        using var loaded = new Network();
        using var model = new Generated(Packed(saved, Kept));
        model.LoadInto(loaded);
        Assert.Equal(Bytes(saved), Bytes(loaded));
        var state = model.StateDict();
        Assert.Equal(Bytes(saved).Keys.Order(StringComparer.Ordinal), state.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(3, Compressed.ReplaceLinears(loaded, model).Count);
        foreach (var tensor in state.Values)
        {
            tensor.Dispose();
        }
    }

    [Fact]
    public void GivesWhatPackedWeightsMean()
    {
        using var module = new Network();
        var packed = Packed(module, "method: uniform\nbits: 4\nlayers: [{ match: ['first.weight', 'rest.*.weight'], bits: 4 }]");
        packed.LoadInto(module);
        float[] expected = new float[12 * 8];
        Assert.Equal("uniform", packed["first.weight"].Codec);
        packed["first.weight"].Dequantize(expected);
        Assert.Equal(expected, Floats(module.state_dict()["first.weight"]));
    }

    [Fact]
    public void OutlivesThePackedModel()
    {
        using var module = new Network();
        var packed = Packed(module, Kept);
        packed.LoadInto(module);
        packed.Dispose();
        using var x = ones(2, 12);
        using var y = module.call(x);
        Assert.Equal([2L, 3L], y.shape);
    }

    [Fact]
    public void LeavesTheModuleAsItWasIfNamesDiffer()
    {
        using var module = new Network();
        using var other = new Rigid();
        Unchanged(module, () => Packed(other, Kept).LoadInto(module), "the packed model has no 'first.weight' [8, 12]", "and 4 more");
        Unchanged(other, () => Packed(module, Kept).LoadInto(other), "the packed model has no 'fc.weight' [8, 12]", "the module has no 'first.weight' [8, 12]");
    }

    [Theory]
    [InlineData(11, "'weight' is Float32 [8, 11] in the module, but Float32 [8, 12] in the packed model")]
    [InlineData(1, "'weight' is Float32 [8, 1] in the module, but Float32 [8, 12] in the packed model")]
    public void LeavesTheModuleAsItWasIfAShapeDiffers(int width, string message)
    {
        using var module = nn.Linear(width, 8);
        using var other = nn.Linear(12, 8);
        Unchanged(module, () => Packed(other, Kept).LoadInto(module), message);
    }

    [Fact]
    public void LeavesTheModuleAsItWasIfATypeDiffers()
    {
        using var other = nn.Linear(12, 8);
        var packed = Packed(other, Kept);
        using var module = nn.Linear(12, 8);
        module.to(ScalarType.Float64);
        Unchanged(module, () => packed.LoadInto(module), "'weight' is Float64 [8, 12] in the module, but Float32 [8, 12] in the packed model");
    }

    [Theory]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void KeepsElementTypes(ScalarType type)
    {
        using var module = nn.Linear(12, 8);
        module.to(type);
        var state = Packed(module, Kept).StateDict();
        foreach (var (name, tensor) in module.state_dict())
        {
            Assert.Equal(type, state[name].dtype);
            Assert.Equal(tensor.shape, state[name].shape);
            Assert.Equal(tensor.bytes.ToArray(), state[name].bytes.ToArray());
            state[name].Dispose();
        }
    }

    [Fact]
    public void GivesScalarsAndIntegers()
    {
        using var module = new Network();
        var state = Packed(module, Kept).StateDict();
        Assert.Equal(ScalarType.Int64, state["norm.num_batches_tracked"].dtype);
        Assert.Empty(state["norm.num_batches_tracked"].shape);
    }

    private sealed record Generated(PackedModel Packed) : ITypedModel
    {
        public void Dispose() => Packed.Dispose();
    }

    private static void Unchanged(nn.Module module, Action load, params string[] messages)
    {
        var before = Bytes(module);
        string message = Assert.Throws<InvalidDataException>(load).Message;
        Assert.All(messages, expected => Assert.Contains(expected, message, StringComparison.Ordinal));
        Assert.Equal(before, Bytes(module));
    }
}
