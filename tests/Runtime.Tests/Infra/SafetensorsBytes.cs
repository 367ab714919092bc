using System.Buffers.Binary;
using System.Text;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Tests.Infra;

/// <summary>Writes safetensors files, wrong ones too.</summary>
internal static class SafetensorsBytes
{
    /// <summary>A file with this text as its header, right or wrong, and so many bytes of data: 0, 1, 2, …</summary>
    public static byte[] Of(string header, int dataBytes = 0) => Of(Encoding.UTF8.GetBytes(header), dataBytes);

    /// <summary>A file with these bytes as its header.</summary>
    public static byte[] Of(byte[] header, int dataBytes = 0)
    {
        byte[] file = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        for (int i = 0; i < dataBytes; i++)
        {
            file[8 + header.Length + i] = (byte)i;
        }

        return file;
    }

    /// <summary>A file with one tensor.</summary>
    public static byte[] Of(string name, DType type, long[] shape, byte[] data)
    {
        byte[] file = Of($$"""{"{{name}}":{{Entry(type, shape, 0, data.Length)}}}""", data.Length);
        data.CopyTo(file, file.Length - data.Length);
        return file;
    }

    /// <summary>The JSON of one tensor.</summary>
    public static string Entry(DType type, long[] shape, long begin, long end) =>
        $$"""{"dtype":"{{type.Name()}}","shape":[{{string.Join(',', shape)}}],"data_offsets":[{{begin}},{{end}}]}""";

    /// <summary>Reads the header.</summary>
    public static SafetensorsHeader ReadHeader(byte[] file) =>
        SafetensorsHeader.Read(file.Length, (offset, count) => file.AsSpan(checked((int)offset), count).ToArray());
}
