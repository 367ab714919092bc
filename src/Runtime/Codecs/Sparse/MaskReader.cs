using System.Numerics;

namespace Compress.Runtime.Codecs.Sparse;

/// <summary>Reads where weights are kept; docs/format.md has the three layouts. What is damaged is an error before more memory is taken than the file accounts for.</summary>
internal static class MaskReader
{
    /// <summary>The greatest parameter of Golomb and Rice's code.</summary>
    public const int MaxRice = 8;

    /// <summary>A matrix with more rows for each byte of gaps is not stored as such.</summary>
    public const int MaxRowsPerByte = 64;

    /// <summary>The names of the layouts.</summary>
    public const string Bitmap = "bitmap", Pattern = "pattern", Gaps = "gaps";

    /// <summary>Reads the mask of a tensor.</summary>
    /// <exception cref="InvalidDataException">It does not fit the tensor.</exception>
    public static SparseMask Read(PackedParts parts, int rows, int columns, int kept)
    {
        long weights = (long)rows * columns;
        var positions = parts.Text("layout") switch
        {
            Bitmap => OfBitmap(parts, weights, rows, columns, kept),
            Pattern => OfPattern(parts, weights, rows, columns, kept),
            Gaps => OfGaps(parts, weights, rows, columns, kept),
            var other => throw parts.Bad($"parameter 'layout' is '{other}', not {Bitmap}, {Pattern} or {Gaps}"),
        };
        return positions ?? throw parts.Bad($"its array 'mask' is damaged: these are not the places of {kept} weights of {rows} × {columns}");
    }

    private static SparseMask? OfBitmap(PackedParts parts, long weights, int rows, int columns, int kept) =>
        OfBits(parts.Part("mask", Safetensors.DType.U8, (weights + 7) / 8), weights, rows, columns, kept);

    private static SparseMask? OfPattern(PackedParts parts, long weights, int rows, int columns, int kept)
    {
        int of = parts.Int("of", 2, Combinations.MaxOf);
        var combinations = new Combinations(parts.Int("keep", 1, of - 1), of);
        long groups = weights / of;
        if (columns % of != 0 || groups * combinations.Kept != kept)
        {
            return null;
        }

        var stored = parts.Part("mask", Safetensors.DType.U8, ((groups * combinations.Bits) + 7) / 8);
        byte[] bitmap = new byte[(weights + 7) / 8];
        var reader = new BitReader(stored.All<byte>());
        for (long group = 0; group < groups; group++)
        {
            if (!reader.TryRead(combinations.Bits, out uint number) || number >= combinations.Count)
            {
                return null;
            }

            Set(bitmap, group * of, combinations.PlacesOf(number));
        }

        return reader.IsAtEnd ? OfBits(new(MappedBytes.FromArray(bitmap), 0, bitmap.Length), weights, rows, columns, kept) : null;
    }

    private static SparseMask? OfGaps(PackedParts parts, long weights, int rows, int columns, int kept)
    {
        int rice = parts.Int("rice", 1, MaxRice);
        var bytes = parts.Bytes("mask").All<byte>();
        // Each gap takes a bit for every 2^rice weights, and rice + 1 at least.
        if ((kept + 1L) * (rice + 1) > 8L * bytes.Length || weights >> rice > 8L * bytes.Length || rows > (long)MaxRowsPerByte * bytes.Length)
        {
            return null;
        }

        bool lists = SparseMask.Lists(weights, columns, kept);
        ushort[] listed = new ushort[lists ? kept : 0];
        byte[] bitmap = new byte[lists ? 0 : (weights + 7) / 8];
        int[] starts = new int[rows + 1];
        var reader = new BitReader(bytes);
        long place = -1, rowStart = 0;
        int row = 0;
        for (int i = 0; i <= kept; i++)
        {
            if (!reader.TryReadUnary(out long high) || !reader.TryRead(rice, out uint low) || (place += (high << rice) + low + 1) > weights || (place == weights) != (i == kept))
            {
                return null;
            }

            for (; row < rows && place - rowStart >= columns; rowStart += columns)
            {
                starts[++row] = i;
            }

            if (i == kept)
            {
                break;
            }

            if (lists)
            {
                listed[i] = (ushort)(place - rowStart);
            }
            else
            {
                bitmap[place / 8] |= (byte)(1 << (int)(place % 8));
            }
        }

        return !reader.IsAtEnd ? null : lists ? SparseMask.Of(columns, starts, listed) : SparseMask.Of(columns, starts, new ByteView(MappedBytes.FromArray(bitmap), 0, bitmap.Length));
    }

    // Counts; lists the columns where that is the better form.
    private static SparseMask? OfBits(ByteView bitmap, long weights, int rows, int columns, int kept)
    {
        int[] starts = new int[weights == 0 ? 1 : rows + 1];
        bool lists = SparseMask.Lists(weights, columns, kept);
        ushort[] listed = new ushort[lists ? kept : 0];
        long count = 0;
        for (int row = 0; row < starts.Length - 1; row++)
        {
            for (int done = 0; done < columns;)
            {
                int length = Math.Min(32, columns - done);
                uint bits = Bits(bitmap, ((long)row * columns) + done, length);
                if (count + BitOperations.PopCount(bits) > kept)
                {
                    return null;
                }

                for (uint rest = lists ? bits : 0; rest != 0; rest &= rest - 1)
                {
                    listed[count + BitOperations.PopCount(bits) - BitOperations.PopCount(rest)] = (ushort)(done + BitOperations.TrailingZeroCount(rest));
                }

                count += BitOperations.PopCount(bits);
                done += length;
            }

            starts[row + 1] = (int)count;
        }

        bool filled = weights % 8 == 0 || bitmap.Slice(bitmap.Length - 1, 1)[0] >> (int)(weights % 8) == 0;
        return count != kept || !filled ? null : lists ? SparseMask.Of(columns, starts, listed) : SparseMask.Of(columns, starts, bitmap);
    }

    private static uint Bits(ByteView bitmap, long first, int count)
    {
        var bytes = bitmap.Slice(first / 8, (int)(((first + count + 7) / 8) - (first / 8)));
        ulong bits = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            bits |= (ulong)bytes[i] << (8 * i);
        }

        return (uint)(bits >> (int)(first % 8)) & (count == 32 ? uint.MaxValue : (1u << count) - 1);
    }

    private static void Set(byte[] bitmap, long first, uint places)
    {
        for (ulong bits = (ulong)places << (int)(first % 8), at = (ulong)first / 8; bits != 0; bits >>= 8, at++)
        {
            bitmap[at] |= (byte)bits;
        }
    }
}
