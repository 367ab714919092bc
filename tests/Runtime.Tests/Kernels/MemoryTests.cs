using Compress.Runtime.Kernels;
using Compress.Runtime.Tests.Infra;

namespace Compress.Runtime.Tests.Kernels;

public class MemoryTests
{
    public static TheoryData<string> Kinds => [.. Samples.Kinds.Keys];

    [Theory, MemberData(nameof(Kinds))]
    public void NothingIsReadPastTheEndOfAnArray(string kind)
    {
        if (!GuardedMemory.IsSupported)
        {
            return;
        }

        foreach (int columns in (int[])[1, 31, 33, 64, 172, 200])
        {
            var sample = Samples.Kinds[kind](3, columns);
            using var memory = new GuardedMemory();
            foreach (var kernel in Kernel.All)
            {
                var tensor = sample.Open(kernel, memory.Place);
                float[] x = new float[9 * columns], y = new float[9 * 3];
                tensor.Dequantize(new float[3 * columns]);
                tensor.Multiply(x.AsSpan(0, columns), y.AsSpan(0, 3));
                tensor.Multiply(x, y, 9);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void OneThreadAllocatesNothing(int batch)
    {
        foreach (var sample in (PackedSample[])[PackedSample.Higgs(64, 172, 1, 16, 64), PackedSample.Uniform(64, 172, 8, false)])
        {
            var tensor = sample.Open();
            float[] x = new float[batch * 172], y = new float[batch * 64];
            long least = long.MaxValue;

            // The first calls fill the pool of buffers, and another test may empty it; a call that allocates does so every time.
            for (int attempt = 0; attempt < 20 && least > 0; attempt++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                tensor.Multiply(x, y, batch);
                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            Assert.Equal(0, least);
        }
    }
}
