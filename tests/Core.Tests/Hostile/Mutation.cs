namespace Compress.Core.Tests.Hostile;

/// <summary>Damages that parsers are known to stumble over; the same for the same seed.</summary>
internal static class Mutation
{
    private static readonly byte[] Telling = [.. "\"{}[],:\\0123456789-eE.u \0\n\t#&*!|>'/"u8, 0x7F, 0x80, 0xC3, 0xFF];

    private static readonly string[] Words =
    [
        "-1", "0", "1e999", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616", "NaN", "null", "true",
        "../", "..\\", "/etc/passwd", "C:\\x", "\\u0000", "\\ud800", "F64", "BF16", "I8", "[[[[[[[[", "{\"a\":{\"a\":", "\"\"", "data_offsets", "dtype",
        "shape", "__metadata__", "weight_map", "compress", "::", "bits: 99", "\n- ", "\n  ", "&a [*a]", "<<: ", "---", "%YAML", "!!binary", "\u2028",
    ];

    /// <summary>One to four damages.</summary>
    public static byte[] Of(byte[] original, int seed)
    {
        var random = new Random(seed);
        List<byte> bytes = [.. original];
        for (int count = random.Next(1, 5); count > 0 && bytes.Count > 0; count--)
        {
            int at = random.Next(bytes.Count);
            int length = Math.Min(random.Next(1, 12), bytes.Count - at);
            switch (random.Next(8))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = Telling[random.Next(Telling.Length)]; break;
                case 2: bytes.Insert(at, Telling[random.Next(Telling.Length)]); break;
                case 3: bytes.RemoveRange(at, length); break;
                case 4: bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length)); break;
                case 5: bytes.InsertRange(at, System.Text.Encoding.UTF8.GetBytes(Words[random.Next(Words.Length)])); break;
                case 6: Replace(bytes, at, length, System.Text.Encoding.UTF8.GetBytes(Words[random.Next(Words.Length)])); break;
                default: bytes.RemoveRange(at, random.Next(8) == 0 ? bytes.Count - at : 0); break;
            }
        }

        return [.. bytes];
    }

    private static void Replace(List<byte> bytes, int at, int length, byte[] by)
    {
        bytes.RemoveRange(at, length);
        bytes.InsertRange(at, by);
    }
}
