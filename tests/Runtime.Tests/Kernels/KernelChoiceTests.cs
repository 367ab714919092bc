using System.Runtime.Intrinsics;
using Compress.Runtime.Kernels;
using Compress.Runtime.Tests.Infra;

namespace Compress.Runtime.Tests.Kernels;

public class KernelChoiceTests
{
    [Theory]
    [InlineData("Vector512", typeof(VectorKernel<Simd512, Vector512<float>, Vector512<byte>>))]
    [InlineData("Vector256", typeof(VectorKernel<Simd256, Vector256<float>, Vector256<byte>>))]
    [InlineData("vector128", typeof(VectorKernel<Simd128, Vector128<float>, Vector128<byte>>))]
    [InlineData("Scalar", typeof(ScalarKernel))]
    public void ANameForcesItsKernel(string name, Type kernel) => Assert.IsType(kernel, Kernel.Choose(name));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Vector1024")]
    public void NoNameTakesTheWidestThatTheHardwareHas(string? name)
    {
        string widest = Vector512.IsHardwareAccelerated ? "Vector512"
            : Vector256.IsHardwareAccelerated ? "Vector256"
            : Vector128.IsHardwareAccelerated ? "Vector128" : "Scalar";
        Assert.Equal(widest, Kernel.Choose(name).Name);
    }

    [Fact]
    public void TheProcessUsesTheKernelThatItsEnvironmentNames() =>
        Assert.Same(Kernel.Choose(Environment.GetEnvironmentVariable("COMPRESS_KERNEL")), Kernel.Best);

    [Fact]
    public void ATensorUsesTheKernelThatItWasOpenedWith()
    {
        // Signs and one block, and the vector is arranged and multiplied; signs, rows are decoded, and a block for each.
        Assert.Equal(4, Calls(PackedSample.Higgs(3, 64, 1, 16, 64), tensor => tensor.Multiply(new float[64], new float[3])));
        Assert.Equal(1 + 1 + 3, Calls(PackedSample.Higgs(3, 64, 1, 16, 64), tensor => tensor.Dequantize(new float[3 * 64])));
        Assert.Equal(2, Calls(PackedSample.Uniform(3, 64, 8, false), tensor => tensor.Multiply(new float[64], new float[3])));
        Assert.Equal(2, Calls(PackedSample.Uniform(3, 64, 8, false), tensor => tensor.Multiply(new float[64 * 9], new float[3 * 9], 9)));
    }

    private static int Calls(PackedSample sample, Action<PackedTensor> use)
    {
        var kernel = new CountingKernel();
        use(sample.Open(kernel));
        return kernel.Calls;
    }
}

/// <summary>Counts what a tensor asks of its kernel.</summary>
internal sealed class CountingKernel : Kernel
{
    public int Calls { get; private set; }

    public override string Name => "Counting";

    public override bool IsAccelerated => false;

    private Kernel Inner
    {
        get
        {
            Calls++;
            return Best;
        }
    }

    public override void Hadamard(Span<float> block) => Inner.Hadamard(block);

    public override void Hadamard(Span<float> block, ReadOnlySpan<float> factors) => Inner.Hadamard(block, factors);

    public override void FlipSigns(Span<float> row, ulong seed) => Inner.FlipSigns(row, seed);

    public override void DecodeRows(CodeMatrix matrix, int firstRow, int rowCount, Span<float> weights, int stride) =>
        Inner.DecodeRows(matrix, firstRow, rowCount, weights, stride);

    public override int PanelBatch(CodeMatrix matrix) => Best.PanelBatch(matrix);

    public override int ArrangedLength(CodeMatrix matrix) => Best.ArrangedLength(matrix);

    public override void Arrange(CodeMatrix matrix, ReadOnlySpan<float> x, Span<float> arranged) => Inner.Arrange(matrix, x, arranged);

    public override void MultiplyRows(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> arranged, Span<float> y) =>
        Inner.MultiplyRows(matrix, firstRow, arranged, y);

    public override void MultiplyPanel(
        ReadOnlySpan<float> weights, int rows, ReadOnlySpan<float> x, int batch, int stride, Span<float> y, int yStride) =>
        Inner.MultiplyPanel(weights, rows, x, batch, stride, y, yStride);

    public override int TileBatch => Best.TileBatch;

    public override int TileWidth => Best.TileWidth;

    public override void MultiplyTiles(
        ReadOnlySpan<float> a, int aStride, int rows, in TiledMatrix b, Span<float> c, int cStride, TileResult result) =>
        Inner.MultiplyTiles(a, aStride, rows, b, c, cStride, result);
}
