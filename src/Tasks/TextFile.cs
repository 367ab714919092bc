using System;
using System.IO;
using System.Text;

namespace Compress.Tasks;

/// <summary>Writes small text files: UTF-8 without a mark, whole or not at all.</summary>
internal static class TextFile
{
    private static readonly Encoding Utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Writes the text, and returns true, unless the file holds just that.</summary>
    public static bool WriteIfDifferent(string path, string text)
    {
        if (File.Exists(path) && File.ReadAllText(path, Utf8) == text)
        {
            return false;
        }

        Write(path, text);
        return true;
    }

    /// <summary>Writes under a temporary name and renames, so that no one ever reads half of it.</summary>
    public static void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path));
        string temporary = path + "." + Guid.NewGuid().ToString("N").Substring(0, 8) + ".tmp";
        try
        {
            File.WriteAllText(temporary, text, Utf8);
            if (File.Exists(path))
            {
                File.Replace(temporary, path, null);
            }
            else
            {
                File.Move(temporary, path);
            }
        }
        catch (IOException) when (File.Exists(path) && File.ReadAllText(path, Utf8) == text)
        {
            // Another project of the same build wrote the same text at the same time.
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
