using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;
using Compress.Runtime.Tests.Infra;

namespace Compress.Runtime.Tests.Kernels;

public class DequantizeTests
{
    public static TheoryData<string> Kinds => [.. Samples.Kinds.Keys];

    [Theory, MemberData(nameof(Kinds))]
    public void EveryKernelGivesTheSameBits(string kind)
    {
        foreach (var sample in Samples.Of(kind))
        {
            uint[] expected = Bits(sample.Open(Kernel.Choose("Scalar")));
            foreach (var kernel in Kernel.All)
            {
                Assert.True(expected.AsSpan().SequenceEqual(Bits(sample.Open(kernel))), $"{kernel.Name}: {sample}");
            }
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void GivesWhatTheFormatDefines(string kind)
    {
        foreach (var sample in Samples.Of(kind))
        {
            float[] actual = new float[sample.Rows * sample.Columns];
            sample.Open().Dequantize(actual);
            for (int row = 0; row < sample.Rows; row++)
            {
                float[] expected = Row(sample, row);
                Assert.True(expected.AsSpan().SequenceEqual(actual.AsSpan(row * sample.Columns, sample.Columns)), $"row {row} of {sample}");
            }
        }
    }

    [Fact]
    public void RowsAreThoseOfTheWhole()
    {
        var tensor = PackedSample.Higgs(17, 172, 1, 16, 64).Open();
        float[] all = new float[17 * 172], some = new float[3 * 172];
        tensor.Dequantize(all);
        tensor.DequantizeRows(9, 3, some);
        Assert.Equal(all[(9 * 172)..(12 * 172)], some);
    }

    // scale · value in float arithmetic, then for higgs the inverse rotation, which has its own tests.
    private static float[] Row(PackedSample sample, int row)
    {
        int codesPerRow = (sample.Columns + sample.P - 1) / sample.P;
        float[] weights = new float[sample.Columns];
        for (int column = 0; column < weights.Length; column++)
        {
            int code = sample.Codes[(row * codesPerRow) + (column / sample.P)];
            int index = sample.Scales.Length == 1 ? 0 : (row * sample.Groups) + (column / sample.GroupSize);
            int zero = sample.Zeros.Length > 0 ? sample.Zeros[index] : (1 << (sample.Bits - 1)) - 1;
            float value = sample.Grid.Length > 0 ? sample.Grid[(code * sample.P) + (column % sample.P)] : code - zero;
            weights[column] = sample.Scales[index] * value;
        }

        if (sample.Grid.Length > 0)
        {
            var rotation = new Rotation(sample.Columns, sample.Rotated, PackedSample.Seed, Kernel.Choose("Scalar"));
            float[] factors = new float[sample.Columns];
            rotation.InverseFactors(factors);
            rotation.Invert(weights, factors);
        }

        return weights;
    }

    private static uint[] Bits(PackedTensor tensor)
    {
        float[] weights = new float[tensor.Count];
        tensor.Dequantize(weights);
        return [.. weights.Select(BitConverter.SingleToUInt32Bits)];
    }
}
