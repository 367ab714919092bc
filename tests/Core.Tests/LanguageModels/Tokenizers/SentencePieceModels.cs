using System.Text.Json;

namespace Compress.Core.Tests.LanguageModels.Tokenizers;

/// <summary>Against SentencePiece 0.1.97, see tests/assets/tokenizers/golden.py.</summary>
public class SentencePieceModels
{
    public static TheoryData<string> Names => ["stories260K", "novels6M", "unigram", "bpe-nfkc", "unigram-bytes", "bpe-suffix"];

    [Theory]
    [MemberData(nameof(Names))]
    public void EncodeAsSentencePiece(string name)
    {
        var tokenizer = Golden.Open($"{name}.model");
        string[] lines = [.. Golden.Texts, .. Golden.Odd];
        int[][] expected = Golden.Ids(name);
        Assert.Equal(expected.Length, lines.Length);
        var wrong = lines.Zip(expected).Where(pair => !tokenizer.Encode(pair.First).AsSpan().SequenceEqual(pair.Second)).Select(pair =>
            $"{JsonSerializer.Serialize(pair.First)}\n  {string.Join(' ', pair.Second)}\n  {string.Join(' ', tokenizer.Encode(pair.First))}").ToArray();
        Assert.True(wrong.Length == 0, $"{wrong.Length} lines differ:\n{string.Join('\n', wrong.Take(5))}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void DecodeAsSentencePiece(string name)
    {
        var tokenizer = Golden.Open($"{name}.model");
        int[][] ids = Golden.Ids(name)[Golden.Texts.Length..];
        var wrong = ids.Zip(Golden.DecodedOdd(name)).Where(pair => tokenizer.Decode(pair.First) != pair.Second).Select(pair =>
            $"{string.Join(' ', pair.First)}\n  {JsonSerializer.Serialize(pair.Second)}\n  {JsonSerializer.Serialize(tokenizer.Decode(pair.First))}").ToArray();
        Assert.True(wrong.Length == 0, $"{wrong.Length} lines differ:\n{string.Join('\n', wrong.Take(5))}");
    }
}
