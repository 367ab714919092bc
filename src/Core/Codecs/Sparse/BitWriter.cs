namespace Compress.Core.Codecs.Sparse;

/// <summary>Writes a stream of bits, from the lowest of each byte; zeros fill up the last.</summary>
internal sealed class BitWriter
{
    private readonly List<byte> bytes = [];
    private ulong pending;
    private int pendingBits;

    /// <summary>Writes a number of so many bits, up to 32.</summary>
    public void Write(uint value, int count)
    {
        pending |= (ulong)value << pendingBits;
        for (pendingBits += count; pendingBits >= 8; pendingBits -= 8, pending >>= 8)
        {
            bytes.Add((byte)pending);
        }
    }

    /// <summary>Writes so many zeros, and a one.</summary>
    public void WriteUnary(long zeros)
    {
        for (; zeros >= 32; zeros -= 32)
        {
            Write(0, 32);
        }

        Write(1u << (int)zeros, (int)zeros + 1);
    }

    /// <summary>All that was written.</summary>
    public byte[] ToArray() => pendingBits == 0 ? [.. bytes] : [.. bytes, (byte)pending];
}
