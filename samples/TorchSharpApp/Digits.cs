using System.Buffers.Binary;
using System.IO.Compression;
using static TorchSharp.torch;

namespace TorchSharpApp;

/// <summary>Images of MNIST and their digits, from files in IDX format.</summary>
internal static class Digits
{
    /// <summary>Images as floats [n, 784], normalized, and labels [n].</summary>
    public static (Tensor Images, Tensor Labels) Read(string folder, string set)
    {
        byte[] images = Unpack(Path.Combine(folder, $"{set}-images-idx3-ubyte.gz"), headerBytes: 16);
        byte[] labels = Unpack(Path.Combine(folder, $"{set}-labels-idx1-ubyte"), headerBytes: 8);
        float[] values = [.. images.Select(pixel => ((pixel / 255f) - 0.1307f) / 0.3081f)];
        return (tensor(values).reshape(labels.Length, 28 * 28), tensor([.. labels.Select(label => (long)label)]));
    }

    private static byte[] Unpack(string path, int headerBytes)
    {
        using Stream file = File.OpenRead(path);
        using Stream content = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var bytes = new MemoryStream();
        content.CopyTo(bytes);
        byte[] all = bytes.ToArray();
        int count = BinaryPrimitives.ReadInt32BigEndian(all.AsSpan(4));
        return all.Length >= headerBytes + count ? all[headerBytes..] : throw new InvalidDataException($"{path} is cut short.");
    }
}
