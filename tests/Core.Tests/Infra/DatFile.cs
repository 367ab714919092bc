using System.Text;

namespace Compress.Core.Tests.Infra;

/// <summary>Builds state dictionaries as TorchSharp saves them: unsigned LEB128 numbers, then raw elements.</summary>
internal sealed class DatFile
{
    private readonly List<byte[]> entries = [];

    public static byte[] Number(ulong value)
    {
        List<byte> bytes = [];
        for (; value > 0x7F; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        return [.. bytes, (byte)value];
    }

    public DatFile Add(string name, int type, long[] shape, byte[] data)
    {
        byte[] text = Encoding.UTF8.GetBytes(name);
        entries.Add([.. Number((ulong)text.Length), .. text, .. Number((ulong)type), .. Number((ulong)shape.Length), .. shape.SelectMany(side => Number((ulong)side)), .. data]);
        return this;
    }

    public byte[] ToArray() => [.. Number((ulong)entries.Count), .. entries.SelectMany(entry => entry)];
}
