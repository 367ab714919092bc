using System.IO.Compression;
using System.Text.Json;
using Compress.Core.LanguageModels.Tokenizers;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.LanguageModels.Tokenizers;

/// <summary>The files of tests/assets/tokenizers: lines, and the ids and texts that the original programs make of them.</summary>
internal static class Golden
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "assets", "tokenizers");

    /// <summary>2,000 lines of novels, stories and plays.</summary>
    public static string[] Texts { get; } = Lines("texts");

    /// <summary>Lines of odd Unicode.</summary>
    public static string[] Odd { get; } = Lines("odd");

    public static ITokenizer Open(string file) => TokenizerFile.Open(file == "stories260K.model" ? Stories("tokenizer.model") : Path.Combine(Folder, file));

    public static ITokenizer OpenJson(string name) =>
        name == "stories260K-json" ? TokenizerFile.Open(Stories("tokenizer.json")) : Open($"{name}.json");

    public static byte[] Bytes(string file) => File.ReadAllBytes(Path.Combine(Folder, file));

    /// <summary>For each of the lines, texts first, its ids.</summary>
    public static int[][] Ids(string name)
    {
        string[] lines = Unpack($"{name}.ids.gz").Split('\n')[..^1];
        return [.. lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToArray())];
    }

    /// <summary>The text of each odd line's ids.</summary>
    public static string[] DecodedOdd(string name) => JsonSerializer.Deserialize<string[]>(Unpack($"{name}.text.gz"))!;

    public static void AssertEncodes(ITokenizer tokenizer, string[] lines, int[][] expected)
    {
        Assert.Equal(expected.Length, lines.Length);
        AssertSame(lines, expected.Select(Joined), lines.Select(line => Joined(tokenizer.Encode(line))));
    }

    public static void AssertDecodes(ITokenizer tokenizer, int[][] ids, string[] expected)
    {
        Assert.Equal(expected.Length, ids.Length);
        AssertSame(ids.Select(Joined), expected, ids.Select(line => tokenizer.Decode(line)));
    }

    private static string Joined(int[] ids) => string.Join(' ', ids);

    private static void AssertSame(IEnumerable<string> inputs, IEnumerable<string> expected, IEnumerable<string> found)
    {
        string[] wrong = [.. inputs.Zip(expected, found).Where(row => row.Second != row.Third).Select(row => JsonSerializer.Serialize(new[] { row.First, row.Second, row.Third }))];
        Assert.True(wrong.Length == 0, $"{wrong.Length} lines differ:\n{string.Join('\n', wrong.Take(5))}");
    }

    private static string Stories(string file) => Path.Combine(Path.GetDirectoryName(Assets.Stories)!, file);

    private static string[] Lines(string list)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "lines.json")));
        return [.. json.RootElement.GetProperty(list).EnumerateArray().Select(line => line.GetString()!)];
    }

    private static string Unpack(string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(Folder, file)), CompressionMode.Decompress));
        return reader.ReadToEnd();
    }
}
