using System;
using System.IO;
using System.Text;
using System.Text.RegularExpressions;

namespace Compress.Core.Recipes.Locating;

/// <summary>
/// Which dictionary of a checkpoint is the model, and where the recipe says so. The MSBuild task needs it, because classes follow from the names of tensors, and it has no YAML: so
/// <c>source</c> is found by its lines, and the recipe reader refuses what is not found so. This file is also compiled into the MSBuild task.
/// </summary>
/// <param name="Name">The dictionary's name.</param>
/// <param name="File">The recipe; null if the name is from elsewhere.</param>
/// <param name="Line">The line of the name, from 1.</param>
/// <param name="Column">Its column, from 1.</param>
public sealed record NamedStateDict(string Name, string? File, int Line, int Column)
{
    private const int MaxBytes = 1 << 20; // as for recipes
    private const string Value = """(?:"(?<value>[^"\\]*)"|'(?<value>[^']*)'|(?<value>[^\s"'{}\[\],#&*!|>%@`?:-](?:[^{}\[\],#]*[^\s{}\[\],#])?))""";
    private const string Rest = @"\s*(?:#.*)?$";

    private static readonly Regex InBraces = new(@"^source:\s*\{\s*stateDict:\s+" + Value + @"\s*\}" + Rest, RegexOptions.CultureInvariant);
    private static readonly Regex Heading = new("^source:" + Rest, RegexOptions.CultureInvariant);
    private static readonly Regex OnItsLine = new(@"^\ +stateDict:\s+" + Value + Rest, RegexOptions.CultureInvariant);
    private static readonly Regex Nothing = new(@"^\s*(?:#.*)?$", RegexOptions.CultureInvariant);

    /// <summary>What a recipe names; null if it names none, or cannot be read.</summary>
    /// <param name="recipe">The recipe's absolute path; null or empty for none.</param>
    public static NamedStateDict? In(string? recipe)
    {
        if (recipe is not { Length: > 0 })
        {
            return null;
        }

        try
        {
            using var stream = new FileStream(recipe, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            byte[] bytes = new byte[MaxBytes];
            int length = 0;
            for (int got; (got = stream.Read(bytes, length, bytes.Length - length)) > 0;)
            {
                length += got;
            }

            int mark = length >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0;
            return Find(Encoding.UTF8.GetString(bytes, mark, length - mark), recipe);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null; // which the engine says
        }
    }

    /// <summary>What the text of a recipe names; null if it names none in one of the two forms that are found.</summary>
    /// <param name="text">The text.</param>
    /// <param name="file">Its file, if it is one.</param>
    public static NamedStateDict? Find(string text, string? file)
    {
        string[] lines = text.Split('\n');
        bool below = false;
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].TrimEnd('\r');
            var match = below ? OnItsLine.Match(line) : InBraces.Match(line);
            if (match.Success)
            {
                var value = match.Groups["value"];
                bool quoted = line[value.Index - 1] is '"' or '\'';
                return value.Length == 0 ? null : new(value.Value, file, i + 1, value.Index + (quoted ? 0 : 1));
            }

            below = Heading.IsMatch(line) || (below && Nothing.IsMatch(line));
        }

        return null;
    }
}
