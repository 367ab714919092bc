using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Crvq;

/// <summary>The codes of a matrix whose groups are sums of codebooks' vectors, and the codebooks.</summary>
internal sealed class AdditiveCodes
{
    private readonly ByteView first;
    private readonly ByteView extended;
    private readonly float[][] vectors;
    private readonly int rowBytes;
    private readonly int extendedRowBytes;

    /// <summary>Takes the parts <c>codes</c>, <c>extended</c> if there are several codebooks, and <c>codebooks</c>.</summary>
    /// <param name="parts">The parts.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="groups">Groups of a row.</param>
    /// <param name="critical">How many of them, the first, have a code of every codebook.</param>
    /// <param name="count">Codebooks.</param>
    /// <param name="entries">Vectors of the first codebook, 1 to 256.</param>
    /// <param name="extendedEntries">Vectors of each of the others, 1 to 256.</param>
    /// <param name="groupSize">Columns of a group.</param>
    public AdditiveCodes(PackedParts parts, int rows, int groups, int critical, int count, int entries, int extendedEntries, int groupSize)
    {
        (Rows, Groups, Critical, Count, Entries, GroupSize) = (rows, groups, critical, count, entries, groupSize);
        (Bits, ExtendedBits) = (CodeBits(entries), CodeBits(extendedEntries));
        rowBytes = (int)CodePacking.RowBytes(groups, Bits);
        extendedRowBytes = (int)CodePacking.RowBytes(critical, ExtendedBits);
        long extendedBytes = (long)rows * extendedRowBytes; // at most rows · columns / 2
        if (extendedBytes > long.MaxValue / 8 || (long)groups * groupSize > Array.MaxLength)
        {
            throw parts.Bad($"a matrix of {rows} × {groups} groups");
        }

        first = parts.Codes("codes", rows, groups, 1 << Bits).Codes;
        extended = count == 1 ? default : parts.Codes("extended", checked(rows * (count - 1)), critical, 1 << ExtendedBits).Codes;
        var stored = parts.Part("codebooks", DType.F16, (entries + ((long)extendedEntries * (count - 1))) * groupSize).All<Half>();
        vectors = new float[count][];
        for (int book = 0; book < count; book++)
        {
            // As many as there are codes, so that none reads outside.
            int size = (book == 0 ? entries : extendedEntries) * groupSize;
            vectors[book] = new float[(1 << BitsOf(book)) * groupSize];
            for (int i = 0; i < size; i++)
            {
                vectors[book][i] = float.IsFinite((float)stored[i]) ? (float)stored[i] : throw parts.Bad("its codebooks hold a value that is not finite");
            }

            stored = stored[size..];
        }
    }

    public int Rows { get; }

    public int Groups { get; }

    public int Critical { get; }

    public int Count { get; }

    public int Entries { get; }

    public int GroupSize { get; }

    /// <summary>Columns, filled up to whole groups.</summary>
    public int PaddedColumns => Groups * GroupSize;

    private int Bits { get; }

    private int ExtendedBits { get; }

    /// <summary>Bits of a code of one of n vectors.</summary>
    public static int CodeBits(int n) => Math.Max(1, BitOperations.Log2((uint)n - 1) + 1);

    /// <summary>Bits of a codebook's codes.</summary>
    public int BitsOf(int book) => book == 0 ? Bits : ExtendedBits;

    /// <summary>How many groups of a row have a code of a codebook.</summary>
    public int GroupsOf(int book) => book == 0 ? Groups : Critical;

    /// <summary>The vectors of a codebook, <c>[2^bits, groupSize]</c>; zero where there are fewer.</summary>
    public ReadOnlySpan<float> Vectors(int book) => vectors[book];

    /// <summary>Codes of several rows where they are bytes.</summary>
    /// <param name="book">A codebook whose <see cref="BitsOf"/> are 8.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="stride">From one row's codes to the next's.</param>
    public ReadOnlySpan<byte> Bytes(int book, int firstRow, int rows, out int stride)
    {
        stride = (int)(book == 0 ? rowBytes : (Count - 1) * extendedRowBytes);
        long start = ((long)firstRow * stride) + (book == 0 ? 0 : (book - 1) * extendedRowBytes);
        return (book == 0 ? first : extended).Slice(start, ((rows - 1) * stride) + GroupsOf(book));
    }

    /// <summary>Codes of a row from a group on that a multiple of 32 comes before.</summary>
    /// <param name="book">The codebook.</param>
    /// <param name="row">The row.</param>
    /// <param name="group">The first group.</param>
    /// <param name="buffer">As many bytes as codes; used if codes are no bytes.</param>
    public ReadOnlySpan<byte> Codes(int book, int row, int group, Span<byte> buffer)
    {
        int bits = BitsOf(book);
        long start = (book == 0 ? (long)row * rowBytes : (((long)row * (Count - 1)) + book - 1) * extendedRowBytes)
            + (group / CodePacking.StripCodes * CodePacking.StripBytes(bits));
        var packed = (book == 0 ? first : extended).Slice(start, (int)CodePacking.RowBytes(buffer.Length, bits));
        if (bits == 8)
        {
            return packed;
        }

        CodePacking.Unpack(packed, bits, buffer);
        return buffer;
    }

    /// <summary>The sums of a row's vectors, from the first codebook's to the last's.</summary>
    /// <param name="row">The row.</param>
    /// <param name="sums">Receives <see cref="PaddedColumns"/> floats.</param>
    public void Decode(int row, Span<float> sums)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(Groups);
        for (int book = 0; book < Count; book++)
        {
            var codes = Codes(book, row, 0, rented.AsSpan(0, GroupsOf(book)));
            for (int group = 0; group < codes.Length; group++)
            {
                var vector = vectors[book].AsSpan(codes[group] * GroupSize, GroupSize);
                var sum = sums.Slice(group * GroupSize, GroupSize);
                if (book == 0)
                {
                    vector.CopyTo(sum);
                }
                else
                {
                    Add(vector, sum);
                }
            }
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    private static void Add(ReadOnlySpan<float> vector, Span<float> sum)
    {
        ref float from = ref MemoryMarshal.GetReference(vector), to = ref MemoryMarshal.GetReference(sum);
        int i = 0;
        for (; i + 4 <= vector.Length; i += 4)
        {
            (Vector128.LoadUnsafe(ref to, (nuint)i) + Vector128.LoadUnsafe(ref from, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
        }

        for (; i < vector.Length; i++)
        {
            sum[i] += vector[i];
        }
    }
}
