using System.IO;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.Safetensors;

/// <summary>Reads the header of one .safetensors file.</summary>
internal static class ShardReader
{
    /// <exception cref="ModelFormatException">The file is malformed.</exception>
    public static SafetensorsHeader Read(string path)
    {
        // Shared for everything: reading a header must not stop anyone from replacing the file.
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            return SafetensorsHeader.Read(stream.Length, (offset, count) =>
            {
                stream.Position = offset;
                byte[] bytes = new byte[count];
                for (int done = 0; done < count;)
                {
                    int got = stream.Read(bytes, done, count - done);
                    done += got > 0 ? got : throw new EndOfStreamException($"'{path}' became shorter while it was read");
                }

                return bytes;
            });
        }
        catch (SafetensorsException exception)
        {
            throw new ModelFormatException(path, exception.Message, exception);
        }
    }
}
