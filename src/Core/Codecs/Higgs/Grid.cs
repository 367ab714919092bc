using System.Buffers.Binary;
using System.Collections.Concurrent;
using Compress.Core.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.Higgs;

/// <summary>
/// The n points of dimension p that stand for standard normal vectors: the shared table <c>grid.p2n256</c> and its bytes.
/// p = 1 is computed (<see cref="LloydMax"/>); the others have no closed form and were trained by <c>bench train-grid</c>.
/// </summary>
internal sealed class Grid
{
    private static readonly ConcurrentDictionary<(int P, int N), Lazy<Grid>> Known = new();

    private Grid(int p, int n, byte[] bytes)
    {
        (P, N, Bytes) = (p, n, bytes);
        Points = Load(bytes, n);
        Search = p == 1 ? new LineSearch(Points) : IsOrderedByX(p, n) ? new PlaneSearch(Points) : new SpaceSearch(Points, p);
    }

    /// <summary>The dimension of a point: how many weights one code stands for.</summary>
    public int P { get; }

    /// <summary>The number of points.</summary>
    public int N { get; }

    /// <summary>Columns that share a scale: the least whole number of codes that has at least so many.</summary>
    /// <param name="groupSize">As a recipe has it.</param>
    public int ScaledColumns(int groupSize) => (groupSize + P - 1) / P * P;

    /// <summary>The table's name among all shared tables.</summary>
    public string Name => $"grid.p{P}n{N}";

    /// <summary>The element type in which it is stored.</summary>
    public DType DType => StoredType(N);

    /// <summary>The table as stored, [n, p].</summary>
    public byte[] Bytes { get; }

    /// <summary>The stored values, [n, p]: those that a decoder sees, and among which the encoder searches.</summary>
    public float[] Points { get; }

    /// <summary>Finds nearest points.</summary>
    public GridSearch Search { get; }

    /// <summary>The point nearest to a vector.</summary>
    /// <param name="vector">Of <see cref="P"/> values; of fewer, zeros are the rest.</param>
    /// <param name="scale">What a value of 1 in the grid stands for; 0 for a vector that counts as zero.</param>
    public int Nearest(ReadOnlySpan<double> vector, double scale)
    {
        Span<float> values = stackalloc float[GridSearch.Step], points = stackalloc float[GridSearch.Step];
        Span<ushort> codes = stackalloc ushort[GridSearch.Step];
        values.Clear();
        for (int i = 0; i < vector.Length && scale > 0; i++)
        {
            values[i] = (float)(vector[i] / scale);
        }

        if (Search is SpaceSearch search)
        {
            return search.Nearest(values[..P]);
        }

        Search.Nearest(values, 1, codes[..(GridSearch.Step / P)], points);
        return codes[0];
    }

    /// <summary>The dimensions that there are grids of.</summary>
    public static IReadOnlyList<int> Dimensions { get; } = [1, 2, 3, 4, 8];

    /// <summary>The numbers of points that there are grids with.</summary>
    /// <param name="p">One of <see cref="Dimensions"/>.</param>
    public static IReadOnlyList<int> Sizes(int p) => p switch
    {
        1 => LineSizes,
        2 => [16, 64, 88, 256, 1024],
        3 => [64, 512, 830, 4096],
        4 => [16, 256, 4096],
        8 => [256],
        _ => [],
    };

    private static readonly int[] LineSizes = [.. Enumerable.Range(2, 255)];

    /// <summary>True if the points stand by x, then y, as <see cref="PlaneSearch"/> has them; others stand in <see cref="PointOrder"/>.</summary>
    public static bool IsOrderedByX(int p, int n) => p == 2 && n <= 256;

    /// <summary>The grid; made once in a process.</summary>
    /// <param name="p">One of <see cref="Dimensions"/>.</param>
    /// <param name="n">One of <see cref="Sizes"/>.</param>
    public static Grid Get(int p, int n) => Known.GetOrAdd((p, n), key => new(() => Make(key.P, key.N))).Value;

    /// <summary>
    /// A grid as stored: bfloat16 up to 16 points, where the steps between points dwarf its 8 bits, else half.
    /// </summary>
    public static byte[] Store(ReadOnlySpan<double> points, int n)
    {
        byte[] bytes = new byte[2 * points.Length];
        for (int i = 0; i < points.Length; i++)
        {
            ushort bits = StoredType(n) == DType.BF16
                ? RoundToBFloat16((float)points[i])
                : BitConverter.HalfToUInt16Bits((Half)points[i]);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), bits);
        }

        return bytes;
    }

    /// <summary>The values of a stored grid.</summary>
    public static float[] Load(ReadOnlySpan<byte> bytes, int n)
    {
        float[] points = new float[bytes.Length / 2];
        for (int i = 0; i < points.Length; i++)
        {
            ushort bits = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]);
            points[i] = StoredType(n) == DType.BF16
                ? BitConverter.UInt32BitsToSingle((uint)bits << 16)
                : (float)BitConverter.UInt16BitsToHalf(bits);
        }

        return points;
    }

    private static DType StoredType(int n) => n <= 16 ? DType.BF16 : DType.F16;

    private static Grid Make(int p, int n)
    {
        if (p == 1)
        {
            return new(p, n, Store(LloydMax.Levels(n), n));
        }

        string resource = $"Compress.Core.Codecs.Higgs.Grids.p{p}n{n}.bin";
        using var stream = typeof(Grid).Assembly.GetManifestResourceStream(resource)
            ?? throw new ArgumentOutOfRangeException(nameof(n), n, $"there is no grid of dimension {p} with {n} points");
        byte[] bytes = new byte[2 * n * p];
        stream.ReadExactly(bytes);
        return new(p, n, bytes);
    }

    private static ushort RoundToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
