using System.Diagnostics;
using System.Text;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Recipes;

/// <summary>Recipes with more than one mistake.</summary>
public class SeveralMistakes
{
    [Fact]
    public void AreAllReportedFromTopToBottom()
    {
        const string Text = """
            layers:
              - match: lm_head.*
                bit: 8
              - match: 4
                method: unifrom
            version: 3
            bits: 12
            seed: x
            seed: 1
            """;

        var (_, diagnostics) = Recipes.Parse(Text);

        Assert.Equal(
            [("CMPR1002", 3), ("CMPR1003", 4), ("CMPR1005", 5), ("CMPR1010", 6), ("CMPR1004", 7), ("CMPR1003", 8), ("CMPR1001", 9)],
            diagnostics.Select(diagnostic => (diagnostic.Code, diagnostic.Line)));
    }

    [Fact]
    public void AreCutOffAtAHundred()
    {
        var (_, diagnostics) = Recipes.Parse(string.Concat(Enumerable.Range(0, 5000).Select(i => $"key{i}: 1\n")));

        Assert.Equal(100, diagnostics.Count);
        Assert.Contains("5000 mistakes", diagnostics[^1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void StayOnOneLineEach()
    {
        var (_, diagnostics) = Recipes.Parse("\"a\\nb\\u001B[31m\": 1\nmethod: \"x\\r\\ny\\u2028\"");

        Assert.Equal(2, diagnostics.Count);
        Assert.All(diagnostics, diagnostic => Assert.DoesNotContain(diagnostic.ToString(), c => char.IsControl(c) || c == '\u2028'));
    }
}

/// <summary>Files that are not text, or too much of it.</summary>
public class HostileRecipe
{
    public static TheoryData<string, string> Deep => new()
    {
        { "CMPR1001", new string('[', 1 << 20) },
        { "CMPR1001", new string('{', 1 << 20) },
        { "CMPR1001", string.Concat(Enumerable.Repeat("- ", 1 << 19)) },
        { "CMPR1001", string.Concat(Enumerable.Repeat("? ", 1 << 19)) },
        { "CMPR1001", string.Concat(Enumerable.Repeat("{a: ", 1 << 18)) },
    };

    [Theory, MemberData(nameof(Deep))]
    public void DeepNestingIsRefused(string code, string text)
    {
        var (recipe, diagnostics) = Recipes.Parse(text);

        Assert.Null(recipe);
        Assert.Equal(code, diagnostics[0].Code);
        Assert.Contains("nested deeper than 32 levels", diagnostics[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMebibyteIsReadAndOneByteMoreIsNot()
    {
        byte[] bytes = new byte[(1 << 20) + 1];
        bytes.AsSpan().Fill((byte)'#');

        Assert.NotNull(Recipes.Parse(bytes[..^1]).Recipe);
        var error = Assert.Single(Recipes.Parse(bytes).Diagnostics);
        Assert.Equal("CMPR1009", error.Code);
        Assert.Contains("1 MiB", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { (byte)'#', 0x80 }, 1, 2, "0x80")]
    [InlineData(new byte[] { (byte)'a', (byte)'\n', 0xC3, 0xA9, 0xC3 }, 2, 2, "0xC3")]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 }, 1, 1, "0xED")] // a surrogate
    [InlineData(new byte[] { 0xC0, 0xAF }, 1, 1, "0xC0")] // overlong
    [InlineData(new byte[] { 0xFF, 0xFE, 0x61, 0 }, 1, 1, "UTF-16")]
    [InlineData(new byte[] { 0xFE, 0xFF, 0, 0x61 }, 1, 1, "UTF-16")]
    public void OtherEncodingsAreRefused(byte[] bytes, int line, int column, string fragment)
    {
        var error = Assert.Single(Recipes.Parse(bytes).Diagnostics);

        Assert.Equal(("CMPR1009", line, column), (error.Code, error.Line, error.Column));
        Assert.Contains(fragment, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LongTextsAreCutInMessages()
    {
        var error = Assert.Single(Recipes.Parse("method: " + new string('x', 500_000)).Diagnostics);

        Assert.InRange(error.Message.Length, 50, 300);
    }

    [Fact]
    public void LongPatternsAreRefused()
    {
        string pattern = new('*', 1025);
        Assert.Equal("CMPR1004", Assert.Single(Recipes.Parse($"layers: [{{match: \"{pattern}\", bits: 4}}]").Diagnostics).Code);
        Recipes.Valid($"layers: [{{match: \"{pattern[1..]}\", bits: 4}}]");
    }
}

/// <summary>Recipes on disk.</summary>
public class RecipeFile
{
    [Fact]
    public void IsReadAndRemembersItsPath()
    {
        using var folder = new TempFolder();
        string path = folder["compress.yaml"];
        File.WriteAllText(path, "bits: 12\n");
        var diagnostics = new DiagnosticBag();

        Assert.Null(RecipeReader.Read(path, diagnostics));
        File.WriteAllText(path, "keep: source\n");
        Assert.Equal(path, RecipeReader.Read(path, diagnostics)!.File);
        Assert.StartsWith($"{path}(1,7): error CMPR1004: 'bits': found 12", Assert.Single(diagnostics.Items).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ThatCannotBeReadIsOneError()
    {
        using var folder = new TempFolder();
        var diagnostics = new DiagnosticBag();

        Assert.Null(RecipeReader.Read(folder["absent.yaml"], diagnostics));
        Assert.Null(RecipeReader.Read(folder.Path, diagnostics)); // a folder
        Assert.Equal(["CMPR1009", "CMPR1009"], diagnostics.Items.Select(diagnostic => diagnostic.Code));
    }
}

/// <summary>Recipes changed at random: a recipe or diagnostics, never an exception.</summary>
public class MutatedRecipe
{
    private static readonly string[] Pieces =
    [
        "\n", "\r\n", "\t", "  ", ":", ": ", "- ", "? ", "[", "]", "{", "}", ",", "#", "&a ", "*a", "!", "!!str ", "|", ">", "|\n ", "'", "\"", "%", "@", "`",
        "---", "...", "<<", "~", "null", ".nan", "-.inf", "0x", "1e999", "\\", "\\u", "\\U0010FFFF", "\u0000", "\uFEFF", "\u2028", "\u0085", "\uD83D\uDE00", "match", "bits",
        "method", "layers", "keep", "gate", "-1", "99999999999999999999999", "*", "?", "true", "\"\\x", "%YAML 1.1\n", "%TAG ! x\n",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void NeverThrows(int seed)
    {
        var random = new Random(seed);
        string[] recipes = [.. ValidRecipe.All.Concat(Mistake.All).Select(row => (string)row[0])];
        for (int i = 0; i < 1500; i++)
        {
            var text = new StringBuilder(recipes[random.Next(recipes.Length)]);
            for (int changes = random.Next(1, 6); changes > 0; changes--)
            {
                int at = random.Next(text.Length + 1);
                int length = random.Next(2) == 0 ? 0 : Math.Min(random.Next(1, 8), text.Length - at);
                text.Remove(at, length).Insert(at, random.Next(3) == 0 ? "" : Pieces[random.Next(Pieces.Length)]);
            }

            Check(Encoding.UTF8.GetBytes(text.ToString()));
        }

        for (int i = 0; i < 500; i++)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(recipes[random.Next(recipes.Length)] + " ");
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            Check(bytes);
        }
    }

    private static void Check(byte[] bytes)
    {
        var (recipe, diagnostics) = Recipes.Parse(bytes);
        Assert.Equal(recipe is null, diagnostics.Count > 0);
        int lines = Encoding.UTF8.GetString(bytes).Split('\n', '\r', '\u0085', '\u2028', '\u2029').Length;
        Assert.All(diagnostics, diagnostic =>
        {
            Assert.InRange(diagnostic.Line, 1, lines);
            Assert.InRange(diagnostic.Column, 1, bytes.Length + 1);
        });
    }
}
