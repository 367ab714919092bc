using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
#if NET
using System.Numerics;
using System.Runtime.Intrinsics.X86;
#endif

namespace Compress.Runtime.Safetensors;

/// <summary>
/// Reads JSON in the form that writers produce, several times as fast as Utf8JsonReader: ASCII, no escapes but <c>\"</c>, no white space,
/// whole numbers. A method that meets anything else, right or wrong, returns false: then <see cref="JsonCursor.Reader"/> has to read it.
/// </summary>
internal ref struct JsonScanner
{
    /// <summary>
    /// AggressiveOptimization, which netstandard2.0 has no name for. A model is opened once in a process: methods that loop over a header
    /// cannot wait for the just-in-time compiler's second tier.
    /// </summary>
    public const MethodImplOptions Optimized = (MethodImplOptions)512;

    private const ulong Ones = 0x0101_0101_0101_0101;
    private const ulong HighBits = 0x80 * Ones;

    private readonly ReadOnlySpan<byte> json;
    private bool isAtFirst;

    /// <param name="json">The whole text.</param>
    /// <param name="position">Where to begin: behind the brace that opens an object, or behind a member of it.</param>
    /// <param name="isAtFirst">True if it is the brace.</param>
    public JsonScanner(ReadOnlySpan<byte> json, int position, bool isAtFirst)
    {
        this.json = json;
        this.isAtFirst = isAtFirst;
        Position = position;
        MembersEnd = position;
    }

    /// <summary>Bytes read so far, when all went well.</summary>
    public int Position { get; private set; }

    /// <summary>The end of the last member that was read whole.</summary>
    public int MembersEnd { get; private set; }

    /// <summary>A text of ASCII as a string.</summary>
    public static unsafe string Ascii(ReadOnlySpan<byte> text)
    {
        fixed (byte* bytes = text) // netstandard2.0 knows no spans here
        {
            return text.IsEmpty ? "" : Encoding.ASCII.GetString(bytes, text.Length);
        }
    }

    /// <summary>Ends a member of the object. Takes the comma before the next one; the first has none.</summary>
    public bool NextMember()
    {
        MembersEnd = Position;
        bool begins = isAtFirst || Take(","u8);
        isAtFirst = false;
        return begins;
    }

    /// <summary>What was read from a position on.</summary>
    public readonly ReadOnlySpan<byte> Since(int start) => json.Slice(start, Position - start);

    /// <summary>True if this byte is next.</summary>
    public readonly bool IsNext(byte expected) => (uint)Position < (uint)json.Length && json[Position] == expected;

    /// <summary>Exactly these bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Take(ReadOnlySpan<byte> expected)
    {
        if (!json.Slice(Position).StartsWith(expected))
        {
            return false;
        }

        Position += expected.Length;
        return true;
    }

    /// <summary>A text of ASCII without escapes.</summary>
    [MethodImpl(Optimized)]
    public bool TryText(out ReadOnlySpan<byte> text)
    {
        int start = Position + 1;
        int end = IsNext((byte)'"') ? PlainEnd(json, start) : json.Length;
        if (end >= json.Length || json[end] != '"')
        {
            text = default;
            return false;
        }

        text = json.Slice(start, end - start);
        Position = end + 1;
        return true;
    }

    /// <summary>A text of ASCII without escapes but <c>\"</c>, of any length.</summary>
    public bool TryEscapedText(out byte[] text)
    {
        int start = Position + 1;
        int quotes = 0;
        int end = IsNext((byte)'"') ? EscapedEnd(json, start, out quotes) : -1;
        if (end < 0)
        {
            text = [];
            return false;
        }

        text = new byte[end - start - quotes];
        RemoveBackslashes(json.Slice(start, end - start), text);
        Position = end + 1;
        return true;
    }

    /// <summary>An array of whole numbers from 0 of at most 18 digits.</summary>
    /// <param name="numbers">Receives them.</param>
    /// <param name="count">How many they are.</param>
    [MethodImpl(Optimized)]
    public bool TryNumbers(scoped Span<long> numbers, out int count)
    {
        count = 0;
        int position = Position;
        if (!IsNext((byte)'['))
        {
            return false;
        }

        do
        {
            int start = ++position;
            long number = 0;
            while (position < json.Length && (uint)(json[position] - '0') <= 9)
            {
                number = (number * 10) + (json[position++] - '0'); // overflows only if there are too many digits
            }

            int digits = position - start;
            if (digits == 0 && count == 0)
            {
                break; // an empty array
            }

            if (digits is 0 or > 18 || (digits > 1 && json[start] == '0') || count == numbers.Length || position == json.Length)
            {
                return false;
            }

            numbers[count++] = number;
        }
        while (json[position] == ',');

        if (position == json.Length || json[position] != ']')
        {
            return false;
        }

        Position = position + 1;
        return true;
    }

    /// <summary>Any text of ASCII without escapes, integer or boolean.</summary>
    [MethodImpl(Optimized)]
    public bool TrySkipScalar()
    {
        if (IsNext((byte)'"'))
        {
            return TryText(out _);
        }

        if (Take("true"u8) || Take("false"u8))
        {
            return true;
        }

        int start = Position + (IsNext((byte)'-') ? 1 : 0);
        int end = start;
        while (end < json.Length && (uint)(json[end] - '0') <= 9)
        {
            end++;
        }

        Position = end;
        return end - start == 1 || (end > start && json[start] != '0');
    }

    // The index of the first byte that is a quote, a backslash, a control character or no ASCII.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int PlainEnd(ReadOnlySpan<byte> json, int start)
    {
        // Eight bytes at once. A flag may be wrong above another one, never the lowest (Hacker's Delight, 6-1).
        for (; start <= json.Length - sizeof(ulong); start += sizeof(ulong))
        {
            ulong bytes = BinaryPrimitives.ReadUInt64LittleEndian(json.Slice(start));
            ulong quotes = bytes ^ ('"' * Ones);
            ulong backslashes = bytes ^ ('\\' * Ones);
            ulong flags = (NotPlain(bytes) | ((quotes - Ones) & ~quotes) | ((backslashes - Ones) & ~backslashes)) & HighBits;
            if (flags != 0)
            {
                // The flag's bit and all below it have one of these bits for each byte.
                return start + (int)((((flags ^ (flags - 1)) & Ones) * Ones) >> 56) - 1;
            }
        }

        while (start < json.Length && json[start] is >= 0x20 and < 0x80 and not (byte)'"' and not (byte)'\\')
        {
            start++;
        }

        return start;
    }

    // The index of the quote that ends a text, and how many stand in it; negative if the text is not of the usual form, or does not end.
    [MethodImpl(Optimized)]
    private static int EscapedEnd(ReadOnlySpan<byte> json, int start, out int quotes)
    {
        quotes = 0;
        ulong escaped = 0; // the high bit of each byte that a backslash precedes
        for (; start <= json.Length - sizeof(ulong); start += sizeof(ulong))
        {
            ulong bytes = BinaryPrimitives.ReadUInt64LittleEndian(json.Slice(start));
            ulong backslashes = ZeroBytes(bytes ^ ('\\' * Ones));
            ulong all = escaped | (backslashes << 8);
            if ((NotPlain(bytes) & HighBits) != 0 || ZeroBytes(bytes ^ ('"' * Ones)) != all)
            {
                break;
            }

            quotes += (int)(((all >> 7) * Ones) >> 56);
            escaped = backslashes >> 56;
        }

        for (; start < json.Length; start++)
        {
            byte next = json[start];
            if (next == '"' && escaped == 0)
            {
                return start;
            }

            if (next is < 0x20 or >= 0x80 || (escaped != 0 && next != '"'))
            {
                return -1;
            }

            quotes += escaped == 0 ? 0 : 1;
            escaped = next == '\\' ? 1u : 0;
        }

        return -1;
    }

    // Of a text whose only escapes are quotes.
    [MethodImpl(Optimized)]
    private static void RemoveBackslashes(ReadOnlySpan<byte> escaped, Span<byte> text)
    {
        int length = 0;
#if NET
        while (Bmi2.X64.IsSupported && escaped.Length >= sizeof(ulong) && text.Length - length >= sizeof(ulong))
        {
            ulong bytes = BinaryPrimitives.ReadUInt64LittleEndian(escaped);
            ulong backslashes = ZeroBytes(bytes ^ ('\\' * Ones));
            BinaryPrimitives.WriteUInt64LittleEndian(text.Slice(length), Bmi2.X64.ParallelBitExtract(bytes, ~((backslashes >> 7) * 0xFF)));
            length += sizeof(ulong) - BitOperations.PopCount(backslashes);
            escaped = escaped.Slice(sizeof(ulong));
        }
#endif

        foreach (byte next in escaped)
        {
            text[length] = next; // a backslash is overwritten: the compiler makes this free of branches
            length += next == '\\' ? 0 : 1;
        }
    }

    // The high bit of each byte that is a control character or no ASCII, and perhaps of others above it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong NotPlain(ulong bytes) => (bytes - (0x20 * Ones)) | bytes;

    // The high bit of each byte that is zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ZeroBytes(ulong bytes) => ~(((bytes & ~HighBits) + ~HighBits) | bytes) & HighBits;
}
