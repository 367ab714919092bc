using System.Runtime.Intrinsics;
using Compress.Runtime.Kernels;

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
}
