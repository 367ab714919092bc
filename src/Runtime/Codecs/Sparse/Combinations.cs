using System.Numerics;

namespace Compress.Runtime.Codecs.Sparse;

/// <summary>Numbers the ways to choose n places of m: the combinatorial number system. The places c1 &lt; c2 &lt; … have the number Σ C(ci, i).</summary>
internal sealed class Combinations
{
    /// <summary>The most places.</summary>
    public const int MaxOf = 32;

    private readonly long[,] binomials = new long[MaxOf + 1, MaxOf + 1];

    /// <param name="n">Places chosen, 1 to m − 1.</param>
    /// <param name="m">Places, 2 to <see cref="MaxOf"/>.</param>
    public Combinations(int n, int m)
    {
        (Kept, Of) = (n, m);
        for (int row = 0; row <= m; row++)
        {
            binomials[row, 0] = 1;
            for (int column = 1; column <= row; column++)
            {
                binomials[row, column] = binomials[row - 1, column - 1] + binomials[row - 1, column];
            }
        }

        Bits = BitOperations.Log2((uint)Count - 1) + 1;
    }

    /// <summary>Places chosen.</summary>
    public int Kept { get; }

    /// <summary>Places.</summary>
    public int Of { get; }

    /// <summary>How many ways there are.</summary>
    public long Count => binomials[Of, Kept];

    /// <summary>Bits of a number.</summary>
    public int Bits { get; }

    /// <summary>The number of a set of places.</summary>
    /// <param name="places">A bit for each place.</param>
    public uint NumberOf(uint places)
    {
        long number = 0;
        for (int chosen = 1; places != 0; chosen++, places &= places - 1)
        {
            number += binomials[BitOperations.TrailingZeroCount(places), chosen];
        }

        return (uint)number;
    }

    /// <summary>The places of a number below <see cref="Count"/>: the inverse of <see cref="NumberOf"/>.</summary>
    public uint PlacesOf(uint number)
    {
        uint places = 0;
        long rest = number;
        int place = Of - 1;
        for (int chosen = Kept; chosen > 0; chosen--, place--)
        {
            while (binomials[place, chosen] > rest)
            {
                place--;
            }

            rest -= binomials[place, chosen];
            places |= 1u << place;
        }

        return places;
    }
}
