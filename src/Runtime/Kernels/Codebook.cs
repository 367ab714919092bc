namespace Compress.Runtime.Kernels;

/// <summary>What a matrix's codes stand for: points of one to eight coordinates.</summary>
internal sealed class Codebook
{
    private readonly int entries;

    private Codebook(float[] values, int dimension, int zeroBase, bool isIntegers)
    {
        entries = values.Length / dimension;
        Values = dimension is 2 or 3 ? [.. values, .. new float[4 - dimension]] : values;
        Dimension = dimension;
        ZeroBase = zeroBase;
        IsIntegers = isIntegers;
        LaneTables = BuildLaneTables();
    }

    /// <summary>
    /// [entries, dimension], and zeros, so that a point of two or three coordinates may be loaded as four. A group with zero point z maps code c to entry
    /// <c>ZeroBase − z + c</c>, which exists for every code that the bits allow.
    /// </summary>
    public float[] Values { get; }

    /// <summary>Coordinates of a point.</summary>
    public int Dimension { get; }

    /// <summary>The largest zero point.</summary>
    public int ZeroBase { get; }

    /// <summary>True if code c in a group with zero point z stands for the number c − z.</summary>
    public bool IsIntegers { get; }

    /// <summary>
    /// [zero points, dimension, 2, 16]: for each zero point and coordinate the lower, then the upper bytes of the values as
    /// bfloat16, so that two byte shuffles look up sixteen of them. Null if there are more than 16 codes, more than two coordinates, or values that no bfloat16 holds.
    /// </summary>
    public byte[]? LaneTables { get; }

    /// <summary>A codebook of points.</summary>
    /// <param name="values">[2^bits, dimension].</param>
    /// <param name="dimension">Coordinates of a point.</param>
    public static Codebook Points(float[] values, int dimension) => new(values, dimension, 0, false);

    /// <summary>Code c stands for the integer c − z, with a zero point z below 2^bits for each group.</summary>
    public static Codebook Integers(int bits)
    {
        int largest = (1 << bits) - 1;
        float[] values = new float[(2 * largest) + 1];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = i - largest;
        }

        return new(values, 1, largest, true);
    }

    private byte[]? BuildLaneTables()
    {
        int codes = entries - ZeroBase;
        if (codes > 16 || Dimension > 2 || Array.Exists(Values, value => (BitConverter.SingleToUInt32Bits(value) & 0xFFFF) != 0))
        {
            return null;
        }

        byte[] tables = new byte[(ZeroBase + 1) * Dimension * 32];
        for (int zero = 0; zero <= ZeroBase; zero++)
        {
            for (int coordinate = 0; coordinate < Dimension; coordinate++)
            {
                var table = tables.AsSpan(((zero * Dimension) + coordinate) * 32, 32);
                for (int code = 0; code < codes; code++)
                {
                    uint bits = BitConverter.SingleToUInt32Bits(Values[((ZeroBase - zero + code) * Dimension) + coordinate]);
                    table[code] = (byte)(bits >> 16);
                    table[16 + code] = (byte)(bits >> 24);
                }
            }
        }

        return tables;
    }
}
