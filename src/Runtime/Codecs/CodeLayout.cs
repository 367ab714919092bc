using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Compress.Runtime.Codecs;

/// <summary>
/// How rows of codes with n values are stored. For a power of two they are plain, as <see cref="CodePacking"/> has them. Other codes are cut into their lowest bits, which are plain, and a digit
/// of mixed radix, many of which share a word of up to 32 bytes: so a code takes log2 n bits and at most one percent more, and rows are still found by their number.
/// A word is a fraction: multiplied by the radix it gives a digit and the fraction of the others, so that a digit costs a few multiplications and no division, and every word
/// stands for some digits. Of all layouts the one with the fewest bits is taken.
/// </summary>
internal sealed class CodeLayout
{
    /// <summary>Bytes of the longest word.</summary>
    public const int MaxWordBytes = 32;

    private const int LimbBytes = sizeof(ulong), MaxLimbs = MaxWordBytes / LimbBytes;

    private static readonly ConcurrentDictionary<int, CodeLayout> Known = new();

    // Bytes of a word with so many digits.
    private readonly byte[] wordBytes = [0];

    private CodeLayout(int n)
    {
        (N, Bits) = (n, BitOperations.Log2((uint)n - 1) + 1);
        (LowBits, Radix) = (Bits, 1);
        (long bits, int codes) least = (Bits, 1); // a fraction; of equal ones the first is taken
        for (int low = Bits - 1; low >= 0; low--)
        {
            int radix = (n + (1 << low) - 1) >> low;
            byte[] bytes = BytesOfDigits(radix);
            for (int digits = 1; digits < bytes.Length; digits++)
            {
                long bits = (8L * bytes[digits]) + ((long)low * digits);
                if (bits * least.codes < least.bits * digits)
                {
                    least = (bits, digits);
                    (LowBits, Radix, wordBytes) = (low, radix, bytes[..(digits + 1)]);
                }
            }
        }
    }

    /// <summary>Values of a code.</summary>
    public int N { get; }

    /// <summary>Bits of a plain code.</summary>
    public int Bits { get; }

    /// <summary>True if codes have no digits.</summary>
    public bool IsPlain => Radix == 1;

    /// <summary>The lowest bits of a code, stored plainly.</summary>
    public int LowBits { get; }

    /// <summary>Values of a digit: what lies above the lowest bits.</summary>
    public int Radix { get; }

    /// <summary>Digits of a word; the last of a row may have fewer.</summary>
    public int WordDigits => wordBytes.Length - 1;

    /// <summary>Bytes of a word; the last of a row has as few as its digits need.</summary>
    public int WordBytes => wordBytes[^1];

    /// <summary>The layout of codes with n values, 2 to 4096.</summary>
    public static CodeLayout Of(int n) => Known.GetOrAdd(n, key => new(key));

    /// <summary>Bytes of a row of codes.</summary>
    public long RowBytes(long count) => DigitBytes(count) + (LowBits == 0 ? 0 : CodePacking.RowBytes(count, LowBits));

    /// <summary>Packs a row.</summary>
    /// <param name="codes">The codes, each below n.</param>
    /// <param name="packed">Receives <see cref="RowBytes"/> bytes.</param>
    public void Pack(ReadOnlySpan<ushort> codes, Span<byte> packed)
    {
        if (!IsPlain)
        {
            for (int first = 0; first < codes.Length; first += WordDigits)
            {
                var digits = codes.Slice(first, Math.Min(WordDigits, codes.Length - first));
                int bytes = wordBytes[digits.Length];
                PackWord(digits, packed[..bytes]);
                packed = packed[bytes..];
            }
        }

        if (LowBits > 0)
        {
            ushort[] low = new ushort[codes.Length];
            for (int i = 0; i < low.Length; i++)
            {
                low[i] = (ushort)(codes[i] & ((1 << LowBits) - 1));
            }

            CodePacking.Pack(low, LowBits, packed);
        }
    }

    /// <summary>Unpacks a row: the inverse of <see cref="Pack"/>. Whatever is stored gives codes below 2^<see cref="Bits"/>.</summary>
    /// <param name="packed">At least <see cref="RowBytes"/> bytes.</param>
    /// <param name="codes">Receives the codes; its length is the length of the row.</param>
    public void Unpack(ReadOnlySpan<byte> packed, Span<ushort> codes)
    {
        int digitBytes = (int)DigitBytes(codes.Length);
        if (LowBits > 0)
        {
            CodePacking.Unpack(packed[digitBytes..], LowBits, codes);
        }
        else
        {
            codes.Clear();
        }

        for (packed = packed[..digitBytes]; packed.Length > 0;)
        {
            var word = codes[..Math.Min(WordDigits, codes.Length)];
            int bytes = wordBytes[word.Length];
            UnpackWord(packed[..bytes], word);
            packed = packed[bytes..];
            codes = codes[word.Length..];
        }
    }

    // ceil(x · 256^bytes / radix^digits), x being the number with these digits, the first the highest.
    private void PackWord(ReadOnlySpan<ushort> codes, Span<byte> word)
    {
        BigInteger number = 0;
        for (int i = 0; i < codes.Length;)
        {
            // As many digits as fit a 64-bit number, then one step with a long one.
            ulong part = 0, scale = 1;
            for (; i < codes.Length && scale <= uint.MaxValue; i++)
            {
                part = (part * (uint)Radix) + (uint)(codes[i] >> LowBits);
                scale *= (uint)Radix;
            }

            number = (number * scale) + part;
        }

        var all = BigInteger.Pow(Radix, codes.Length);
        number = ((number << (8 * word.Length)) + all - 1) / all;
        word.Clear();
        number.TryWriteBytes(word, out _, isUnsigned: true);
    }

    private void UnpackWord(ReadOnlySpan<byte> word, Span<ushort> codes)
    {
        // The fraction's limbs, the lowest first; a short word's bytes are the highest of its limbs.
        Span<ulong> limbs = stackalloc ulong[MaxLimbs];
        limbs.Clear();
        int count = (word.Length + LimbBytes - 1) / LimbBytes;
        word.CopyTo(MemoryMarshal.AsBytes(limbs)[((count * LimbBytes) - word.Length)..]);
        ulong radix = (ulong)Radix, l0 = limbs[0], l1 = limbs[1], l2 = limbs[2], l3 = limbs[3];
        for (int i = 0; i < codes.Length; i++)
        {
            ulong digit = Math.BigMul(l0, radix, out l0);
            if (count > 1)
            {
                digit = Step(ref l1, radix, digit);
                digit = count > 2 ? Step(ref l2, radix, digit) : digit;
                digit = count > 3 ? Step(ref l3, radix, digit) : digit;
            }

            codes[i] |= (ushort)(digit << LowBits);
        }
    }

    // One limb of a product: what a lower one carries comes in, what the next receives goes out.
    private static ulong Step(ref ulong limb, ulong radix, ulong carry)
    {
        ulong high = Math.BigMul(limb, radix, out ulong low);
        limb = low + carry;
        return high + (limb < carry ? 1UL : 0);
    }

    private long DigitBytes(long count) => IsPlain ? 0 : (count / WordDigits * WordBytes) + wordBytes[(int)(count % WordDigits)];

    // Of none, one, two … digits: the fewest bytes that tell all their numbers apart.
    private static byte[] BytesOfDigits(int radix)
    {
        List<byte> bytes = [0];
        for (var numbers = (BigInteger)radix; ; numbers *= radix)
        {
            long needed = ((numbers - 1).GetBitLength() + 7) / 8;
            if (needed > MaxWordBytes)
            {
                return [.. bytes];
            }

            bytes.Add((byte)needed);
        }
    }
}
