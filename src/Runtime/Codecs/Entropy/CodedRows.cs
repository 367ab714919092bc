using System.Buffers;
using System.Runtime.InteropServices;

namespace Compress.Runtime.Codecs.Entropy;

/// <summary>
/// Rows of codes in a stream in which a code takes as many bits as its frequency is worth. It holds the frequencies (16 bits for each value of a code), the number of words of each
/// block (32 bits), then the blocks: states (32 bits), then words (16 bits). A block is as many whole rows as have <see cref="BlockCodes"/> codes together.
/// </summary>
/// <param name="rows">Rows.</param>
/// <param name="codesPerRow">Codes of a row.</param>
/// <param name="n">Values of a code.</param>
internal readonly struct CodedRows(int rows, int codesPerRow, int n)
{
    /// <summary>Codes of a block at most. As each block takes some bytes, that also bounds what a small file may ask to be unpacked.</summary>
    public const int BlockCodes = 1 << 20;

    // Where blocks are shorter, many states would cost more than they save.
    private const int LongBlock = 1 << 15, ShortLanes = 4;

    /// <summary>True if there are codes, and they can be stored so.</summary>
    public bool Fits => rows > 0 && codesPerRow is > 0 and <= BlockCodes && n <= AnsTable.MaxCodes && (long)rows * codesPerRow <= Array.MaxLength;

    /// <summary>Bits of a plain code.</summary>
    public int Bits => CodeLayout.Of(n).Bits;

    /// <summary>Rows of a block; the last may have fewer.</summary>
    public int BlockRows => BlockCodes / codesPerRow;

    /// <summary>Blocks.</summary>
    public int Blocks => (rows + BlockRows - 1) / BlockRows;

    /// <summary>States of each block.</summary>
    public int Lanes => Math.Min(rows, BlockRows) * (long)codesPerRow >= LongBlock ? AnsDecoder.Lanes : ShortLanes;

    /// <summary>Decodes into plain codes, on as many threads as <see cref="RuntimeOptions.MaxThreads"/> says.</summary>
    /// <param name="stream">The stream.</param>
    /// <returns>The rows as <see cref="CodePacking"/> has them; null if the stream is damaged.</returns>
    public byte[]? Decode(ByteView stream)
    {
        int lanes = Lanes, blocks = Blocks, blockRows = BlockRows, tableBytes = (n * sizeof(ushort)) + (blocks * sizeof(uint));
        if (stream.Length < tableBytes)
        {
            return null;
        }

        long[] starts = new long[blocks + 1];
        starts[0] = tableBytes;
        for (int block = 0; block < blocks; block++)
        {
            uint words = MemoryMarshal.Read<uint>(stream.Slice((n * sizeof(ushort)) + (block * sizeof(uint)), sizeof(uint)));
            starts[block + 1] = starts[block] + ((long)lanes * sizeof(uint)) + ((long)words * sizeof(ushort));
        }

        // Checked before anything is allocated.
        if (starts[blocks] != stream.Length || AnsTable.Create(MemoryMarshal.Cast<byte, ushort>(stream.Slice(0, n * sizeof(ushort)))) is not { } table)
        {
            return null;
        }

        (int all, int perRow, int bits) = (rows, codesPerRow, Bits);
        int rowBytes = (int)CodePacking.RowBytes(perRow, bits);
        byte[] packed = new byte[all * rowBytes];
        bool sound = true;
        Parallel.For(0, blocks, new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads }, (block, loop) =>
        {
            int first = block * blockRows, count = Math.Min(blockRows, all - first);
            byte[] codes = ArrayPool<byte>.Shared.Rent(count * perRow);
            if (Block(table, stream.From(starts[block]), starts[block + 1] - starts[block], lanes, codes.AsSpan(0, count * perRow)))
            {
                for (int row = 0; row < count; row++)
                {
                    CodePacking.Pack(codes.AsSpan(row * perRow, perRow), bits, packed.AsSpan((first + row) * rowBytes, rowBytes));
                }
            }
            else
            {
                sound = false;
                loop.Stop();
            }

            ArrayPool<byte>.Shared.Return(codes);
        });
        return sound ? packed : null;
    }

    private static bool Block(AnsTable table, ByteView block, long length, int lanes, Span<byte> codes)
    {
        Span<uint> states = stackalloc uint[lanes];
        MemoryMarshal.Cast<byte, uint>(block.Slice(0, lanes * sizeof(uint))).CopyTo(states);
        long words = (length / sizeof(ushort)) - (2L * lanes);
        return words <= codes.Length && AnsDecoder.Decode(table, states, MemoryMarshal.Cast<byte, ushort>(block.Slice(lanes * sizeof(uint), (int)words * sizeof(ushort))), codes);
    }
}
