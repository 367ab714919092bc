using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Compress.Bench;

/// <summary>What one thread of this machine can do at most, measured: the limits that kernels are held against.</summary>
/// <param name="VectorOperations">Independent operations on vectors of 256 bits per second.</param>
/// <param name="MultiplyAdds">Independent fused multiply-adds of 256 bits per second.</param>
/// <param name="Loads">Loads into vector registers from the first-level cache per second.</param>
internal sealed unsafe record MachineLimits(double VectorOperations, double MultiplyAdds, double Loads)
{
    private const int Rounds = 100_000;

    /// <summary>Measures this machine.</summary>
    public static MachineLimits Measure()
    {
        float sink = 0;
        int* table = (int*)NativeMemory.AlignedAlloc(512, 64);
        new Span<byte>(table, 512).Clear();
        double operations = Best(() => sink += Mix(Vector256.Create(1)), 8 * Rounds);
        double multiplyAdds = Best(() => sink += Fuse(Vector256.Create(1.5f)), 8 * Rounds);
        double loads = Best(() => sink += LoadAll(table), 8 * Rounds);
        NativeMemory.AlignedFree(table);
        return float.IsNaN(sink) ? throw new InvalidOperationException() : new(operations, multiplyAdds, loads);
    }

    /// <summary>Bytes per second that a thread reads from a buffer of that size, over and over.</summary>
    public static double ReadBandwidth(long bytes)
    {
        byte[] buffer = new byte[Math.Max(bytes, 64 * 1024) / 128 * 128];
        int sink = 0;
        double time = Timing.Measure(() => sink += Sum(buffer), runs: 9, warmupSeconds: 0.2).Min;
        return sink == int.MinValue ? 0 : buffer.Length / time;
    }

    /// <summary>Bytes per second that a thread writes to a buffer of that size, over and over.</summary>
    public static double WriteBandwidth(long bytes)
    {
        byte[] buffer = new byte[bytes];
        return bytes / Timing.Measure(() => buffer.AsSpan().Fill(1), runs: 9, warmupSeconds: 0.2).Min;
    }

    private static double Best(Action action, double count) => count / Timing.Measure(action, runs: 25, warmupSeconds: 0.2).Min;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Sum(byte[] buffer)
    {
        ref byte start = ref MemoryMarshal.GetArrayDataReference(buffer);
        Vector256<int> a = default, b = default, c = default, d = default;
        for (nuint i = 0; i < (nuint)buffer.Length; i += 128)
        {
            a ^= Vector256.LoadUnsafe(ref start, i).AsInt32();
            b ^= Vector256.LoadUnsafe(ref start, i + 32).AsInt32();
            c ^= Vector256.LoadUnsafe(ref start, i + 64).AsInt32();
            d ^= Vector256.LoadUnsafe(ref start, i + 96).AsInt32();
        }

        return Vector256.Sum(a + b + c + d);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Mix(Vector256<int> one)
    {
        Vector256<int> a = one, b = one, c = one, d = one, e = one, f = one, g = one, h = one;
        for (int i = 0; i < Rounds; i++)
        {
            (a, b, c, d) = (a + one, b ^ one, c + one, d ^ one);
            (e, f, g, h) = (e + one, f ^ one, g + one, h ^ one);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Fuse(Vector256<float> x)
    {
        Vector256<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x;
        var half = Vector256.Create(0.5f);
        for (int i = 0; i < Rounds; i++)
        {
            a = Vector256.MultiplyAddEstimate(a, half, x);
            b = Vector256.MultiplyAddEstimate(b, half, x);
            c = Vector256.MultiplyAddEstimate(c, half, x);
            d = Vector256.MultiplyAddEstimate(d, half, x);
            e = Vector256.MultiplyAddEstimate(e, half, x);
            f = Vector256.MultiplyAddEstimate(f, half, x);
            g = Vector256.MultiplyAddEstimate(g, half, x);
            h = Vector256.MultiplyAddEstimate(h, half, x);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int LoadAll(int* table)
    {
        Vector256<int> a = default, b = default, c = default, d = default;
        for (int i = 0; i < Rounds; i++)
        {
            int* t = table + (8 * (i & 3)); // or the loads would leave the loop
            a ^= Vector256.Load(t);
            b ^= Vector256.Load(t + 8);
            c ^= Vector256.Load(t + 16);
            d ^= Vector256.Load(t + 24);
            a ^= Vector256.Load(t + 32);
            b ^= Vector256.Load(t + 40);
            c ^= Vector256.Load(t + 48);
            d ^= Vector256.Load(t + 56);
        }

        return Vector256.Sum(a ^ b ^ c ^ d);
    }
}
