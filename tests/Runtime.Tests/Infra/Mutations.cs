namespace Compress.Runtime.Tests.Infra;

/// <summary>Small damages to bytes, the same in every run.</summary>
internal static class Mutations
{
    private static readonly byte[] Telling = [.. "\"{}[],:\\0123456789-eE.u \0\n"u8, 0x7F, 0x80, 0xC3, 0xFF];

    /// <summary>Applies one to four damages: a changed, added, removed or repeated stretch, or a cut end.</summary>
    public static byte[] Damage(byte[] original, int seed)
    {
        var random = new Random(seed);
        List<byte> bytes = [.. original];
        for (int i = random.Next(1, 5); i > 0 && bytes.Count > 0; i--)
        {
            int at = random.Next(bytes.Count);
            int length = Math.Min(random.Next(1, 12), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = Telling[random.Next(Telling.Length)]; break;
                case 2: bytes.Insert(at, Telling[random.Next(Telling.Length)]); break;
                case 3: bytes.RemoveRange(at, length); break;
                case 4: bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length)); break;
                default: bytes.RemoveRange(at, random.Next(8) == 0 ? bytes.Count - at : 0); break;
            }
        }

        return [.. bytes];
    }
}
