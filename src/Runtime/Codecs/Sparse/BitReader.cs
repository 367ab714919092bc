using System.Buffers.Binary;
using System.Numerics;

namespace Compress.Runtime.Codecs.Sparse;

/// <summary>Reads a stream of bits, from the lowest of each byte.</summary>
internal ref struct BitReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> bytes = bytes;
    private ulong pending;
    private int pendingBits, next;

    /// <summary>True if all that is left are zeros that fill up a byte.</summary>
    public readonly bool IsAtEnd => next == bytes.Length && pendingBits < 8 && pending == 0;

    /// <summary>Reads a number.</summary>
    /// <param name="count">Its bits, up to 32.</param>
    /// <param name="value">The number.</param>
    /// <returns>False if the stream is too short.</returns>
    public bool TryRead(int count, out uint value)
    {
        Fill();
        value = (uint)(pending & ((1UL << count) - 1));
        if (count > pendingBits)
        {
            return false;
        }

        pending >>= count;
        pendingBits -= count;
        return true;
    }

    /// <summary>Counts zeros up to the next one, and reads past it.</summary>
    /// <param name="zeros">How many.</param>
    /// <returns>False if there is no one.</returns>
    public bool TryReadUnary(out long zeros)
    {
        for (zeros = 0; ;)
        {
            Fill();
            if (pending != 0)
            {
                int more = BitOperations.TrailingZeroCount(pending);
                zeros += more;
                pending >>= more;
                pending >>= 1;
                pendingBits -= more + 1;
                return true;
            }

            if (next == bytes.Length)
            {
                return false;
            }

            zeros += pendingBits;
            pendingBits = 0;
        }
    }

    // At least 32 bits, unless the stream ends.
    private void Fill()
    {
        if (pendingBits < 32 && bytes.Length - next >= sizeof(uint))
        {
            pending |= (ulong)BinaryPrimitives.ReadUInt32LittleEndian(bytes[next..]) << pendingBits;
            next += sizeof(uint);
            pendingBits += 32;
            return;
        }

        for (; pendingBits < 32 && next < bytes.Length; pendingBits += 8)
        {
            pending |= (ulong)bytes[next++] << pendingBits;
        }
    }
}
