using Compress.Runtime.Tests.Infra;

namespace Compress.Runtime.Tests.Kernels;

public class SharedRotationTests
{
    // Equal rotations side by side, others between them, and a codec that rotates nothing.
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(33)]
    public void ProductsAreThoseOfOneMatrixAfterTheOther(int batch)
    {
        const int Columns = 172;
        PackedTensor[] tensors =
        [
            PackedSample.Higgs(7, Columns, 1, 16, 64).Open(), PackedSample.Higgs(3, Columns, 2, 256, 64).Open(),
            PackedSample.Uniform(4, Columns, 8, false).Open(), PackedSample.Higgs(5, Columns, 4, 256, 64).Open(),
            PackedSample.Higgs(2, Columns, 1, 16, 16).Open(), PackedSample.Higgs(6, Columns, 3, 830, 64).Open(),
        ];
        float[] x = [.. Enumerable.Range(0, batch * Columns).Select(i => MathF.Sin(i))];
        float[] together = new float[batch * tensors.Sum(tensor => tensor.Rows)];
        PackedTensor.MultiplyAll(tensors, x, together, batch);
        float[] apart = [.. tensors.SelectMany(tensor =>
        {
            float[] y = new float[batch * tensor.Rows];
            tensor.Multiply(x, y, batch);
            return y;
        })];
        Assert.Equal(apart, together);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        PackedTensor[] tensors = [PackedSample.Higgs(7, 64, 1, 16, 64).Open(), PackedSample.Higgs(3, 32, 1, 16, 64).Open()];
        Assert.Throws<ArgumentException>(() => PackedTensor.MultiplyAll(tensors, new float[64], new float[10]));
        Assert.Throws<ArgumentException>(() => PackedTensor.MultiplyAll(tensors.AsSpan(0, 1), new float[64], new float[8]));
        PackedTensor.MultiplyAll([], [], []);
    }
}
