using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Compress.Runtime.Kernels;

namespace Compress.Runtime.Codecs.Crvq;

/// <summary>
/// Products by tables: for each group of a vector x and each codebook, the products of all of the codebook's vectors with the group's part of x; a row's
/// product is then a sum of one table entry for each code. So g weights cost one load and one addition.
/// </summary>
internal sealed class CodebookTables
{
    /// <summary>Groups whose tables are used for many rows before the next: half of a first-level cache with 256 entries, so that codes have room beside them.</summary>
    private const int ByteGroups = 16, ChunkGroups = CodePacking.StripCodes;

    /// <summary>Rows that such tables are used for: their codes stay in a second-level cache.</summary>
    private const int ChunkRows = 256;

    private readonly AdditiveCodes codes;

    // The vectors transposed, [groupSize, 2^bits or 8].
    private readonly float[][] transposed;

    public CodebookTables(AdditiveCodes codes)
    {
        this.codes = codes;
        transposed = new float[codes.Count][];
        for (int book = 0; book < codes.Count; book++)
        {
            var vectors = codes.Vectors(book);
            int size = TableSize(book);
            transposed[book] = new float[size * codes.GroupSize];
            for (int i = 0; i < vectors.Length; i++)
            {
                transposed[book][(i % codes.GroupSize * size) + (i / codes.GroupSize)] = vectors[i];
            }

            Floats += (long)size * codes.GroupsOf(book);
        }
    }

    /// <summary>Entries of all tables of one vector.</summary>
    public long Floats { get; }

    /// <summary><c>y = diag(scales) · C · x</c>.</summary>
    /// <param name="x">At least <see cref="AdditiveCodes.PaddedColumns"/> floats.</param>
    /// <param name="y">A result for each row.</param>
    /// <param name="scales">A scale for each row.</param>
    public void Multiply(ReadOnlySpan<float> x, Span<float> y, ScaleTable scales)
    {
        using var tables = new Scratch((int)Floats);
        int start = 0;
        for (int book = 0; book < codes.Count; book++)
        {
            int size = TableSize(book);
            for (int group = 0; group < codes.GroupsOf(book); group++, start += size)
            {
                Fill(x.Slice(group * codes.GroupSize, codes.GroupSize), transposed[book], tables.Span.Slice(start, size));
            }
        }

        RowSpread.Run(codes.Rows, codes.PaddedColumns, 1, tables.Span, y, new Work(this, scales));
    }

    private static void Fill(ReadOnlySpan<float> x, float[] vectors, Span<float> table)
    {
        ref float to = ref MemoryMarshal.GetReference(table);
        for (int entry = 0; entry < table.Length; entry += Vector256<float>.Count)
        {
            ref float from = ref vectors[entry];
            var sum = Vector256<float>.Zero;
            for (int k = 0; k < x.Length; k++)
            {
                sum = Vector256.MultiplyAddEstimate(Vector256.Create(x[k]), Vector256.LoadUnsafe(ref from, (nuint)(k * table.Length)), sum);
            }

            sum.StoreUnsafe(ref to, (nuint)entry);
        }
    }

    // Inlined where the size is known: entries then lie at fixed distances.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Sum(ReadOnlySpan<byte> codes, ReadOnlySpan<float> tables, int size)
    {
        // Codes are below the size of a table.
        ref float table = ref MemoryMarshal.GetReference(tables[..(codes.Length * size)]);
        var (a, b, c, d) = (0f, 0f, 0f, 0f);
        int i = 0;
        for (; i + 8 <= codes.Length; i += 8)
        {
            // One load for eight codes: loads are what there are most of.
            ulong eight = BinaryPrimitives.ReadUInt64LittleEndian(codes[i..]);
            a += Unsafe.Add(ref table, (nint)(byte)eight);
            b += Unsafe.Add(ref table, size + (nint)(byte)(eight >> 8));
            c += Unsafe.Add(ref table, (2 * size) + (nint)(byte)(eight >> 16));
            d += Unsafe.Add(ref table, (3 * size) + (nint)(byte)(eight >> 24));
            a += Unsafe.Add(ref table, (4 * size) + (nint)(byte)(eight >> 32));
            b += Unsafe.Add(ref table, (5 * size) + (nint)(byte)(eight >> 40));
            c += Unsafe.Add(ref table, (6 * size) + (nint)(byte)(eight >> 48));
            d += Unsafe.Add(ref table, (7 * size) + (nint)(eight >> 56));
            table = ref Unsafe.Add(ref table, 8 * size);
        }

        for (; i < codes.Length; i++)
        {
            a += Unsafe.Add(ref table, codes[i]);
            table = ref Unsafe.Add(ref table, size);
        }

        return (a + b) + (c + d);
    }

    private int TableSize(int book) => Math.Max(1 << codes.BitsOf(book), Vector256<float>.Count);

    private readonly record struct Work(CodebookTables Tables, ScaleTable Scales) : IRowWork
    {
        public void Run(int firstRow, int rowCount, ReadOnlySpan<float> tables, Span<float> y)
        {
            Span<float> scales = stackalloc float[ChunkRows];
            for (int row = firstRow; row < firstRow + rowCount; row += ChunkRows)
            {
                int count = Math.Min(ChunkRows, firstRow + rowCount - row);
                var results = y.Slice(row, count);
                results.Clear();
                Tables.Add(row, tables, results);
                Scales.Read(row, scales[..count]);
                for (int i = 0; i < count; i++)
                {
                    results[i] *= scales[i];
                }
            }
        }
    }

    private void Add(int firstRow, ReadOnlySpan<float> tables, Span<float> results)
    {
        for (int book = 0; book < codes.Count; book++)
        {
            int count = codes.GroupsOf(book) * TableSize(book);
            if (codes.BitsOf(book) == 8)
            {
                AddBytes(book, firstRow, tables[..count], results);
            }
            else
            {
                AddUnpacked(book, firstRow, tables[..count], results);
            }

            tables = tables[count..];
        }
    }

    private void AddBytes(int book, int firstRow, ReadOnlySpan<float> tables, Span<float> results)
    {
        const int Size = 256;
        int groups = codes.GroupsOf(book);
        var bytes = codes.Bytes(book, firstRow, results.Length, out int stride);
        for (int group = 0; group < groups; group += ByteGroups)
        {
            int count = Math.Min(ByteGroups, groups - group);
            var chunk = tables.Slice(group * Size, count * Size);
            for (int i = 0; i < results.Length; i++)
            {
                results[i] += Sum(bytes.Slice((i * stride) + group, count), chunk, Size);
            }
        }
    }

    private void AddUnpacked(int book, int firstRow, ReadOnlySpan<float> tables, Span<float> results)
    {
        Span<byte> buffer = stackalloc byte[ChunkGroups];
        int size = TableSize(book), groups = codes.GroupsOf(book);
        for (int group = 0; group < groups; group += ChunkGroups)
        {
            int count = Math.Min(ChunkGroups, groups - group);
            var chunk = tables.Slice(group * size, count * size);
            for (int i = 0; i < results.Length; i++)
            {
                results[i] += Sum(codes.Codes(book, firstRow + i, group, buffer[..count]), chunk, size);
            }
        }
    }
}
