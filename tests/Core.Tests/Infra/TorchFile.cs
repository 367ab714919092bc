using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Compress.Core.Tests.Infra;

/// <summary>Builds zip archives as torch.save writes them, around pickles that need not be good.</summary>
internal sealed class TorchFile
{
    private readonly List<(string Name, byte[] Content, CompressionLevel Level)> entries = [];

    /// <summary>Pickle instructions from pieces: texts are taken as they are (Latin-1), so that '\x80' is one byte.</summary>
    public static byte[] Pickle(params object[] pieces) =>
        [.. pieces.SelectMany(piece => piece is byte[] raw ? raw : Encoding.Latin1.GetBytes((string)piece))];

    /// <summary>BINUNICODE.</summary>
    public static byte[] Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, utf8.Length);
        return [(byte)'X', .. length, .. utf8];
    }

    /// <summary>A float tensor: a call of _rebuild_tensor_v2 on a storage.</summary>
    public static byte[] Tensor(string key, int count, int offset, int[] shape, int[] strides) => Pickle(
        "ctorch._utils\n_rebuild_tensor_v2\n((", Text("storage"), "ctorch\nFloatStorage\n", Text(key), Text("cpu"), Int(count), "tQ", Int(offset),
        Tuple(shape), Tuple(strides), "\u0089ccollections\nOrderedDict\n)RtR");

    public static byte[] Int(int value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return [(byte)'J', .. bytes];
    }

    /// <summary>A dictionary with one entry.</summary>
    public static byte[] Dictionary(string name, byte[] value) => Pickle("\u0080\u0002}", Text(name), value, "s.");

    public TorchFile Add(string name, byte[] content, bool compressed = false)
    {
        entries.Add((name, content, compressed ? CompressionLevel.Optimal : CompressionLevel.NoCompression));
        return this;
    }

    public byte[] ToArray()
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content, level) in entries)
            {
                using var stream = archive.CreateEntry(name, level).Open();
                stream.Write(content);
            }
        }

        return bytes.ToArray();
    }

    private static byte[] Tuple(int[] numbers) => Pickle("(", numbers.SelectMany(Int).ToArray(), "t");
}
