using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Models.Formats;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Models.Formats;

/// <summary>A test of files of some format.</summary>
public abstract class FormatTest : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(folder[name], bytes);
        return folder[name];
    }

    /// <summary>What is said of a file.</summary>
    private protected string Refused(string name, byte[] bytes)
    {
        string path = Write(name, bytes);
        var diagnostic = Assert.Throws<CompressException>(() => ModelFile.Open(path)).Diagnostic;
        Assert.Equal((Codes.ModelMalformed, path), (diagnostic.Code, diagnostic.File));
        Assert.DoesNotContain('\n', diagnostic.Message);
        return diagnostic.Message;
    }

    /// <summary>Every prefix of a file is refused, and so is every file with more at its end.</summary>
    private protected void EveryOtherLengthIsRefused(string name, byte[] bytes)
    {
        string path = Write(name, bytes);
        ModelFormats.Find(path)!.ReadHeader(path);
        for (int length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(path, bytes[..length]);
            Assert.True(Fails(path), $"{length} of {bytes.Length} bytes are read");
        }

        File.WriteAllBytes(path, [.. bytes, 0]);
        Assert.True(Fails(path), "a byte more is read");
    }

    private static bool Fails(string path)
    {
        try
        {
            ModelFile.ReadHeader(path);
            return false;
        }
        catch (CompressException exception)
        {
            return exception.Diagnostic.Code is Codes.ModelMalformed or Codes.ModelUnknownFormat or Codes.ModelEmpty;
        }
    }

    /// <summary>Both models hold the same tensors, to the bit, however they are read.</summary>
    internal static void SameTensors(ModelFile expected, ModelFile actual)
    {
        Assert.Equal(expected.Tensors.Select(tensor => tensor.Name), actual.Tensors.Select(tensor => tensor.Name));
        foreach (var tensor in expected.Tensors)
        {
            var other = actual[tensor.Name];
            Assert.Equal((tensor.Name, tensor.DType, tensor.Rows, tensor.Columns), (other.Name, other.DType, other.Rows, other.Columns));
            Assert.Equal(tensor.Shape, other.Shape);
            Assert.Equal(tensor.ContentHash(), other.ContentHash());
            Assert.Equal(tensor.Bytes(0, (int)tensor.ByteLength).ToArray(), other.Bytes(0, (int)other.ByteLength).ToArray());
            for (int row = 0; row < tensor.Rows; row++)
            {
                float[] a = new float[tensor.Columns], b = new float[tensor.Columns];
                tensor.ReadRows(row, 1, a);
                other.ReadRows(row, 1, b);
                Assert.Equal(a, b);
            }

            if (tensor.Count == 0)
            {
                continue;
            }

            float[] x = TestModel.Gaussian(2 * tensor.Columns, 3), y = new float[2 * tensor.Rows], z = new float[2 * tensor.Rows];
            tensor.Multiply(x, y, 2);
            other.Multiply(x, z, 2);
            Assert.Equal(y, z);
        }
    }
}
