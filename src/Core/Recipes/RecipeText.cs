using System.Text;
using Compress.Core.Diagnostics;

namespace Compress.Core.Recipes;

/// <summary>The text of a recipe file: its size, encoding and characters are checked here, before YAML is read.</summary>
internal static class RecipeText
{
    /// <summary>The longest recipe that is read, in bytes.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>Reads the file; null, and an error, if it cannot be read or is too long.</summary>
    public static byte[]? ReadFile(string path, RecipeErrors errors)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            // The length is not asked for: it may change, and devices have none.
            byte[] buffer = new byte[MaxBytes + 1];
            int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return buffer[..length];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add(Codes.RecipeNotReadable, new(1, 1), $"the recipe cannot be read: {e.Message}");
            return null;
        }
    }

    /// <summary>A path in a recipe, which is relative to the recipe's folder.</summary>
    /// <param name="path">As written.</param>
    /// <param name="file">The recipe, if it is a file.</param>
    public static string Absolute(string path, string? file) =>
        file is null ? Path.GetFullPath(path) : Path.GetFullPath(path, Path.GetDirectoryName(file)!);

    /// <summary>Decodes UTF-8, with or without a byte order mark; null, and an error, if it is not text.</summary>
    public static string? Decode(ReadOnlySpan<byte> bytes, RecipeErrors errors)
    {
        if (bytes.Length > MaxBytes)
        {
            errors.Add(Codes.RecipeNotReadable, new(1, 1), "the recipe is longer than 1 MiB; is this the right file?");
            return null;
        }

        if (bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
        {
            errors.Add(Codes.RecipeNotReadable, new(1, 1), "the recipe is in UTF-16; save it as UTF-8");
            return null;
        }

        bytes = bytes is [0xEF, 0xBB, 0xBF, ..] ? bytes[3..] : bytes;
        int valid = ValidPrefix(bytes);
        string text = Encoding.UTF8.GetString(bytes[..valid]);
        if (valid < bytes.Length)
        {
            errors.Add(Codes.RecipeNotReadable, PositionOf(text, text.Length), $"byte 0x{bytes[valid]:X2} is not UTF-8; save the recipe as UTF-8");
            return null;
        }

        return HasOnlyText(text, errors) ? text : null;
    }

    // YamlDotNet takes NUL for the end of the file; all that YAML forbids is refused here.
    private static bool HasOnlyText(string text, RecipeErrors errors)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsControl(text[i]) && text[i] is not ('\t' or '\n' or '\r' or '\u0085'))
            {
                errors.Add(Codes.RecipeSyntax, PositionOf(text, i), $"control character U+{(int)text[i]:X4}; remove it");
                return false;
            }
        }

        return true;
    }

    private static int ValidPrefix(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (at < bytes.Length && Rune.DecodeFromUtf8(bytes[at..], out _, out int length) == System.Buffers.OperationStatus.Done)
        {
            at += length;
        }

        return at;
    }

    /// <summary>The place of a character.</summary>
    public static Position PositionOf(string text, int index)
    {
        var before = text.AsSpan(0, index);
        return new(before.Count('\n') + 1, index - before.LastIndexOf('\n'));
    }
}
