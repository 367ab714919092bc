namespace Compress.Core.Tests.Infra;

/// <summary>Builds checkpoints of llama2.c: width 8, hidden width 12, one layer, two heads, one key/value head, vocabulary 5, three positions; zeros.</summary>
internal static class Llama2CFile
{
    private const int Matrices = (5 * 8) + (8 * 8) + (4 * 8) + (4 * 8) + (8 * 8) + (3 * 12 * 8);
    private const int Norms = 3 * 8;

    public static byte[] Of(int version, bool head = false, int groupSize = 4, int[]? numbers = null)
    {
        numbers ??= [8, 12, 1, 2, 1, version == 0 && head ? -5 : 5, 3];
        byte[] shape = [.. numbers.SelectMany(BitConverter.GetBytes)];
        int matrices = Matrices + (head ? 5 * 8 : 0);
        if (version == 0)
        {
            return [.. shape, .. new byte[4 * (matrices + Norms + (3 * 4))]];
        }

        byte[] start = [.. BitConverter.GetBytes(0x616b3432), .. BitConverter.GetBytes(version), .. shape, (byte)(head ? 0 : 1), .. BitConverter.GetBytes(groupSize)];
        return [.. start, .. new byte[256 - start.Length], .. new byte[(4 * Norms) + (version == 1 ? 4 * matrices : matrices + (matrices / groupSize * 4))]];
    }
}
