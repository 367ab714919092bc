using System.Buffers.Binary;
using Compress.Core.Numerics;
using Compress.Runtime.Codecs.Cvxq;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.Cvxq;

/// <summary>
/// The levels of a quantizer for each depth, and between which values each is chosen. Stored levels are halves; where there are so few that products look
/// them up by byte shuffles, these halves are bfloat16 values too, whose 8 bits are fine beside the steps: they add less than 0.5 % to the error.
/// </summary>
internal sealed class Companding
{
    private readonly float[][] levels = new float[MixedMatrix.MaxDepth + 1][];
    private readonly float[][] bounds = new float[MixedMatrix.MaxDepth + 1][];

    private Companding(string name, int shuffledDepth, Func<int, (double[] Levels, double[] Bounds)> make)
    {
        byte[] bytes = new byte[2 * MixedMatrix.LevelCount];
        for (int depth = 1; depth <= MixedMatrix.MaxDepth; depth++)
        {
            var (exact, between) = make(1 << depth);
            Mirror(exact);
            bool shuffled = depth <= shuffledDepth;
            levels[depth] = Array.ConvertAll(exact, level => (float)(Half)(shuffled ? EightBits(level) : level));
            bounds[depth] = Array.ConvertAll(between, bound => (float)bound);
            for (int i = 0; i < exact.Length; i++)
            {
                BinaryPrimitives.WriteHalfLittleEndian(bytes.AsSpan(2 * (exact.Length - 2 + i)), (Half)levels[depth][i]);
            }
        }

        Table = new("levels." + name, DType.F16, [MixedMatrix.LevelCount], bytes, Shared: true);
    }

    /// <summary>
    /// Equal steps of the distribution function of a Laplace density of unit scale: the cube root of the density of weights whose scale is a
    /// third of that, which is the best point density (Panter and Dite 1951).
    /// </summary>
    public static Companding Laplace { get; } = new("laplace", 4, n =>
        (Array.ConvertAll(Numbers(n), i => Quantile((i + 0.5) / n)), Array.ConvertAll(Numbers(n - 1), i => Quantile((i + 1.0) / n))));

    /// <summary>The quantizers of least mean squared error for N(0, 1).</summary>
    public static Companding Normal { get; } = new("normal", MixedMatrix.MaxShuffledDepth, n =>
    {
        double[] levels = LloydMax.Levels(n);
        return (levels, Array.ConvertAll(Numbers(n - 1), i => 0.5 * (levels[i] + levels[i + 1])));
    });

    /// <summary>The stored table.</summary>
    public EncodedPart Table { get; }

    /// <summary>The stored levels of a depth from 1 on, ascending.</summary>
    public float[] Levels(int depth) => levels[depth];

    /// <summary>The code of a value: how many bounds lie at or below it.</summary>
    public int Code(float value, int depth)
    {
        float[] sorted = bounds[depth];
        int code = 0;
        for (int step = 1 << (depth - 1); step > 0; step >>= 1)
        {
            code += value >= sorted[code + step - 1] ? step : 0;
        }

        return code;
    }

    // Products look up half of the levels, and change the sign of the others.
    private static void Mirror(double[] levels)
    {
        for (int i = 0; i < levels.Length / 2; i++)
        {
            levels[i] = -levels[^(i + 1)];
        }
    }

    private static double Quantile(double u) => u < 0.5 ? Elementary.Log(2 * u) : u > 0.5 ? -Elementary.Log(2 * (1 - u)) : 0;

    // As many significant bits as bfloat16 has.
    private static double EightBits(double value)
    {
        double unit = value == 0 ? 1 : Math.ScaleB(1, Math.ILogB(value) - 7);
        return Math.Round(value / unit) * unit;
    }

    private static int[] Numbers(int n) => [.. Enumerable.Range(0, n)];
}
