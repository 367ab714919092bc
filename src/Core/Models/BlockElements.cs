using System.Buffers.Binary;
using Compress.Core.Models.Formats;

namespace Compress.Core.Models;

/// <summary>
/// Decodes the blocks of GGUF to floats, by the definitions of ggml's quants (ggml-quants.c, dequantize_row_*): each product and sum is rounded, none is fused.
/// </summary>
internal static class BlockElements
{
    /// <summary>One block.</summary>
    /// <param name="coding">Of GGUF.</param>
    /// <param name="block">Its bytes.</param>
    /// <param name="values">Receives its elements.</param>
    public static void Decode(ElementCoding coding, ReadOnlySpan<byte> block, Span<float> values)
    {
        switch (coding)
        {
            case ElementCoding.Q8Zero: Q8Zero(block, values); break;
            case ElementCoding.Q4Zero: Q4Zero(block, values); break;
            case ElementCoding.Q4K: Q4K(block, values); break;
            case ElementCoding.Q6K: Q6K(block, values); break;
            default: throw new ArgumentOutOfRangeException(nameof(coding), coding, "has no blocks");
        }
    }

    private static float Half(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    private static void Q8Zero(ReadOnlySpan<byte> block, Span<float> values)
    {
        float scale = Half(block);
        for (int i = 0; i < 32; i++)
        {
            values[i] = scale * (sbyte)block[2 + i];
        }
    }

    private static void Q4Zero(ReadOnlySpan<byte> block, Span<float> values)
    {
        float scale = Half(block);
        for (int i = 0; i < 16; i++)
        {
            values[i] = scale * ((block[2 + i] & 15) - 8);
            values[i + 16] = scale * ((block[2 + i] >> 4) - 8);
        }
    }

    // Two scales of the block, 8 scales and 8 minimums of 6 bits, then 4 times 32 bytes: the low halves are one group of 32, the high ones the next.
    private static void Q4K(ReadOnlySpan<byte> block, Span<float> values)
    {
        float scale = Half(block), minimum = Half(block[2..]);
        var packed = block.Slice(4, 12);
        var codes = block[16..];
        for (int group = 0; group < 8; group++)
        {
            int factor = group < 4 ? packed[group] & 63 : (packed[group + 4] & 15) | (packed[group - 4] >> 6 << 4);
            int offset = group < 4 ? packed[group + 4] & 63 : (packed[group + 4] >> 4) | (packed[group] >> 6 << 4);
            float step = scale * factor, least = minimum * offset;
            for (int i = 0; i < 32; i++)
            {
                int code = codes[(group / 2 * 32) + i] >> (group % 2 * 4) & 15;
                float product = step * code;
                values[(group * 32) + i] = product - least;
            }
        }
    }

    // 128 bytes of low halves, 64 of the two bits above them, 16 scales of 8 bits, the scale of the block.
    private static void Q6K(ReadOnlySpan<byte> block, Span<float> values)
    {
        float scale = Half(block[208..]);
        for (int half = 0; half < 2; half++)
        {
            var low = block.Slice(half * 64, 64);
            var high = block.Slice(128 + (half * 32), 32);
            var scales = block.Slice(192 + (half * 8), 8);
            for (int quarter = 0; quarter < 4; quarter++)
            {
                for (int i = 0; i < 32; i++)
                {
                    int code = (low[(quarter % 2 * 32) + i] >> (quarter / 2 * 4) & 15) | ((high[i] >> (quarter * 2) & 3) << 4);
                    float step = scale * (sbyte)scales[(quarter * 2) + (i / 16)];
                    values[(half * 128) + (quarter * 32) + i] = step * (code - 32);
                }
            }
        }
    }
}
