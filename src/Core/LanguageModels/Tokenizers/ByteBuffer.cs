using System.Text;

namespace Compress.Core.LanguageModels.Tokenizers;

/// <summary>Bytes that grow.</summary>
internal sealed class ByteBuffer(int capacity)
{
    private byte[] bytes = new byte[capacity];

    /// <summary>May be lowered, never raised.</summary>
    public int Length { get; set; }

    /// <summary>What was added so far. Not to be used after adding more.</summary>
    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, Length);

    public void Add(byte value)
    {
        if (Length == bytes.Length)
        {
            Array.Resize(ref bytes, (int)Math.Clamp(2L * Length, 16, Array.MaxLength));
        }

        bytes[Length++] = value;
    }

    public void Add(ReadOnlySpan<byte> values)
    {
        foreach (byte value in values)
        {
            Add(value);
        }
    }

    /// <summary>Appends what was added to a text, with U+FFFD for each byte that is no UTF-8, and starts anew.</summary>
    public void MoveTo(StringBuilder text)
    {
        var rest = Written;
        while (!rest.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(rest, out var rune, out int used) == System.Buffers.OperationStatus.Done;
            text.Append(rune.ToString()); // U+FFFD if not valid
            rest = rest[(valid ? used : 1)..];
        }

        Length = 0;
    }
}
