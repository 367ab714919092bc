using Compress.Runtime.Kernels;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Cvxq;

/// <summary>
/// A matrix of which each group of consecutive columns of a row has its own bit depth, 0 to 8, its scale, and its shift in eighths of the scale:
/// <c>weight = scale · (level[depth, code] + shift / 8)</c>. A group of depth 0 has no codes, and level 0.
/// </summary>
internal sealed class MixedMatrix
{
    /// <summary>The greatest depth.</summary>
    public const int MaxDepth = 8;

    /// <summary>Levels of all depths, 1 to 8, one after another: those of depth B begin at 2^B − 2.</summary>
    public const int LevelCount = 510;

    /// <summary>Up to this depth levels are looked up by byte shuffles if bfloat16 holds them; from <see cref="FirstFoldedDepth"/> on they must be symmetric too.</summary>
    public const int MaxShuffledDepth = 6;

    /// <summary>From this depth on only positive levels are in a table.</summary>
    public const int FirstFoldedDepth = 5;

    /// <summary>The parameter of matrices whose codes are stored depth by depth, for entropy coding: those of groups that are not shorter than others in an array of each depth.</summary>
    public const string ByDepth = "byDepth";

    /// <summary>See <see cref="LaneTables"/>.</summary>
    public const int LaneTableBytes = 64;

    private const int Shifts = 16, NoShift = 8;

    private readonly ByteView headers;
    private readonly ByteView codes;
    private readonly ScaleTable scales;
    private readonly long[] rowStarts; // the first byte of each row's codes, and the end
    private readonly float[] table; // [shift, level]
    private readonly int shuffled; // a bit for each depth

    /// <summary>Takes the parts <c>headers</c>, <c>scales</c>, <c>codes</c> and the table of levels.</summary>
    public MixedMatrix(PackedParts parts, int rows, int columns, int groupSize, string levels)
    {
        (Rows, Columns, GroupSize, Groups) = (rows, columns, groupSize, CodeMatrix.GroupCount(columns, groupSize));
        FullGroupBytes = [.. Enumerable.Range(0, MaxDepth + 1).Select(depth => GroupBytes(groupSize, depth))];
        headers = parts.Part("headers", DType.U8, (long)rows * Groups);
        scales = new(parts, (long)rows * Groups);
        rowStarts = RowStarts(parts);
        codes = parts.Has(ByDepth) && parts.Bool(ByDepth) ? Joined(parts) : parts.Part("codes", DType.U8, rowStarts[^1]);
        table = Table(parts.Shared(levels, DType.F16, LevelCount).All<Half>(), parts);
        LaneTables = new byte[(MaxDepth + 1) * LaneTableBytes];
        for (int depth = 1; depth <= MaxShuffledDepth; depth++)
        {
            if (Lanes(Levels(depth, NoShift), folded: depth >= FirstFoldedDepth) is { } lanes)
            {
                lanes.CopyTo(LaneTables, depth * LaneTableBytes);
                shuffled |= 1 << depth;
            }
        }
    }

    public int Rows { get; }

    public int Columns { get; }

    public int GroupSize { get; }

    /// <summary>Groups of a row; the last may have fewer columns.</summary>
    public int Groups { get; }

    /// <summary>
    /// For each depth, at <see cref="LaneTableBytes"/> times it, the byte tables of its levels, sixteen at a time: see <see cref="Codebook.LaneTables"/>. Of folded depths those of
    /// the levels above the middle.
    /// </summary>
    public byte[] LaneTables { get; }

    /// <summary>For each depth, the bytes of the codes of a group that is not shorter than others.</summary>
    public int[] FullGroupBytes { get; }

    /// <summary>True if the depth has byte tables.</summary>
    public bool IsShuffled(int depth) => ((shuffled >> depth) & 1) != 0;

    /// <summary>The header of each group of a row.</summary>
    public ReadOnlySpan<byte> Headers(int row) => headers.Slice((long)row * Groups, Groups);

    /// <summary>The codes of a row, group by group.</summary>
    public ReadOnlySpan<byte> Codes(int row) => codes.Slice(rowStarts[row], (int)(rowStarts[row + 1] - rowStarts[row]));

    /// <summary>Reads the scale of each group of a row.</summary>
    public void ReadScales(int row, Span<float> destination) => ReadScales(row, 0, destination[..Groups]);

    /// <summary>Reads the scales of <c>destination.Length</c> groups of a row.</summary>
    public void ReadScales(int row, int firstGroup, Span<float> destination) => scales.Read(((long)row * Groups) + firstGroup, destination);

    /// <summary>One weight of a row: the same bits as with <see cref="MixedRows.Decode"/>.</summary>
    /// <param name="row">The row.</param>
    /// <param name="group">Its group.</param>
    /// <param name="index">Its place in that.</param>
    public float Weight(int row, int group, int index)
    {
        byte header = Headers(row)[group];
        int depth = Depth(header), length = Math.Min(GroupSize, Columns - (group * GroupSize));
        float scale = 0;
        ReadScales(row, group, new(ref scale));
        if (depth == 0)
        {
            return scale * Shift(header);
        }

        int start = index / CodePacking.StripCodes * CodePacking.StripCodes;
        Span<byte> strip = stackalloc byte[CodePacking.StripCodes];
        strip = strip[..Math.Min(CodePacking.StripCodes, length - start)];
        CodePacking.Unpack(CodesFrom(row, group)[(start / 8 * depth)..], depth, strip);
        return scale * Levels(depth, ShiftIndex(header))[strip[index - start]];
    }

    /// <summary>The codes of a row from a group on.</summary>
    public ReadOnlySpan<byte> CodesFrom(int row, int group)
    {
        int at = 0;
        foreach (byte header in Headers(row)[..group])
        {
            at += FullGroupBytes[Depth(header)];
        }

        return Codes(row)[at..];
    }

    /// <summary>The depth in a header.</summary>
    public static int Depth(byte header) => header & 15;

    /// <summary>The shift in a header, as an index of <see cref="Levels"/>.</summary>
    public static int ShiftIndex(byte header) => header >> 4;

    /// <summary>The shift in a header, in units of the scale.</summary>
    public static float Shift(byte header) => (ShiftIndex(header) - NoShift) * 0.125f;

    /// <summary>The levels of a depth from 1 on, shifted.</summary>
    public ReadOnlySpan<float> Levels(int depth, int shiftIndex) => table.AsSpan((shiftIndex * LevelCount) + (1 << depth) - 2, 1 << depth);

    /// <summary>Bytes of the codes of a group.</summary>
    public static int GroupBytes(int length, int depth) => depth == 0 ? 0 : (int)CodePacking.RowBytes(length, depth);

    // Headers are read once when the tensor is opened; then every row is found at once.
    private long[] RowStarts(PackedParts parts)
    {
        if (Groups == 0)
        {
            return [0]; // however many rows a file claims
        }

        long[] starts = new long[Rows + 1];
        int last = Columns - ((Groups - 1) * GroupSize);
        for (int row = 0; row < Rows; row++)
        {
            var all = Headers(row);
            long at = starts[row];
            for (int group = 0; group < all.Length; group++)
            {
                int depth = Depth(all[group]);
                if (depth > MaxDepth)
                {
                    throw parts.Bad($"a group of {depth} bits in row {row}; a group has at most {MaxDepth}");
                }

                at += GroupBytes(group + 1 < all.Length ? GroupSize : last, depth);
            }

            starts[row + 1] = at;
        }

        return starts;
    }

    /// <summary>The array of the codes of a depth, where they are stored by depth.</summary>
    public static string CodesOf(int depth) => $"codes{depth}";

    // All codes in their order, from those of each depth.
    private ByteView Joined(PackedParts parts)
    {
        int whole = Columns / GroupSize;
        int[] counts = new int[MaxDepth + 1];
        for (int row = 0; row < Rows && Groups > 0; row++)
        {
            foreach (byte header in Headers(row)[..whole])
            {
                counts[Depth(header)] = checked(counts[Depth(header)] + 1);
            }
        }

        var views = new ByteView[MaxDepth + 1];
        long left = rowStarts[^1];
        for (int depth = 1; depth <= MaxDepth; depth++)
        {
            if (counts[depth] > 0)
            {
                views[depth] = parts.Codes(CodesOf(depth), counts[depth], GroupSize, 1 << depth).Codes;
                left -= (long)counts[depth] * FullGroupBytes[depth];
            }
        }

        views[0] = parts.Part("codes", DType.U8, left); // of shorter groups
        if (rowStarts[^1] > Array.MaxLength)
        {
            throw parts.Bad("its codes are stored by depth, and are too many for that");
        }

        byte[] all = new byte[rowStarts[^1]];
        long[] next = new long[MaxDepth + 1];
        int at = 0;
        for (int row = 0; row < Rows && Groups > 0; row++)
        {
            var headers = Headers(row);
            for (int group = 0; group < headers.Length; group++)
            {
                int depth = Depth(headers[group]), from = group < whole ? depth : 0;
                int bytes = group < whole ? FullGroupBytes[depth] : GroupBytes(Columns - (group * GroupSize), depth);
                if (bytes > 0)
                {
                    views[from].Slice(next[from], bytes).CopyTo(all.AsSpan(at));
                    next[from] += bytes;
                    at += bytes;
                }
            }
        }

        return new(MappedBytes.FromArray(all), 0, all.Length);
    }

    private static byte[]? Lanes(ReadOnlySpan<float> levels, bool folded)
    {
        if (!folded)
        {
            return Codebook.Points(levels.ToArray(), 1).LaneTables;
        }

        int half = levels.Length / 2;
        byte[] tables = [];
        for (int i = 0; i < half; i++)
        {
            if (levels[half + i] != -levels[half - 1 - i])
            {
                return null;
            }
        }

        for (int start = half; start < levels.Length; start += 16)
        {
            if (Codebook.Points(levels.Slice(start, 16).ToArray(), 1).LaneTables is not { } lanes)
            {
                return null;
            }

            tables = [.. tables, .. lanes];
        }

        return tables;
    }

    private static float[] Table(ReadOnlySpan<Half> levels, PackedParts parts)
    {
        float[] table = new float[Shifts * LevelCount];
        for (int i = 0; i < table.Length; i++)
        {
            table[i] = (float)levels[i % LevelCount] + ((i / LevelCount) - NoShift) * 0.125f;
        }

        return Array.TrueForAll(table, float.IsFinite) ? table : throw parts.Bad("its table of levels holds a value that is not finite");
    }
}
