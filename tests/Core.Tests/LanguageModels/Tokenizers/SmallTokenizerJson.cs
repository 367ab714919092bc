using System.Security.Cryptography;
using System.Text;
using Compress.Core.LanguageModels.Tokenizers;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.LanguageModels.Tokenizers;

/// <summary>What the large files do not show, by hand from the library's source.</summary>
public sealed class SmallTokenizerJson : IDisposable
{
    private const string Model = """{"type":"BPE","unk_token":"?","vocab":{"?":0,"a":1,"b":2,"ab":3,"▁":4,"▁a":5," ":6},"merges":[["a","b"],["▁","a"]]}""";

    private readonly TempFolder folder = new();

    [Theory]
    [InlineData("always", "a a<x>a", new[] { 5, 5, 9, 5 })]
    [InlineData("first", "a a<x>a", new[] { 5, 5, 9, 1 })]
    [InlineData("first", "<x>a", new[] { 9, 1 })]
    [InlineData("never", "a a<x>a", new[] { 1, 5, 9, 1 })]
    public void MetaspacePrependsByItsScheme(string scheme, string text, int[] ids) => Assert.Equal(ids, Open(
        $$"""{"added_tokens":[{"id":9,"content":"<x>"}],"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"{{scheme}}"},"model":{{Model}}}""").Encode(text));

    [Theory]
    [InlineData("true", new[] { 0, 1 })]
    [InlineData("false", new[] { 0, 0, 1 })]
    public void UnknownCharactersAreFusedIfTheFileSaysSo(string fuses, int[] ids) =>
        Assert.Equal(ids, Open($$"""{"model":{{Model.Replace("\"type\"", $"\"fuse_unk\":{fuses},\"type\"", StringComparison.Ordinal)}}}""").Encode("xya"));

    [Fact]
    public void WithoutADecoderTokensAreJoinedBySpaces() => Assert.Equal("ab ? a", Open($$"""{"model":{{Model}}}""").Decode([3, 0, 1]));

    [Fact]
    public void TokensOutsideTheAlphabetOfBytesAreDecodedAsTheyStand() => Assert.Equal(
        "aé cb",
        Open($$"""{"added_tokens":[{"id":9,"content":"é c"}],"decoder":{"type":"ByteLevel"},"model":{{Model}}}""").Decode([1, 9, 2]));

    [Fact]
    public void LoneSurrogatesAreReplacementCharacters()
    {
        var tokenizer = Open("""{"model":{"vocab":{"\ufffd":0,"a":1},"merges":[]}}""");
        Assert.Equal([1, 0, 1, 0], tokenizer.Encode("a\ud800a\udc00"));
    }

    [Fact]
    public void TokenWithoutCharactersIsNeverUsed() => Assert.Equal([1, 1], Open("""{"model":{"vocab":{"":0,"a":1},"merges":[]}}""").Encode("aa"));

    [Fact]
    public void NoModelTypeMeansBpe() => Assert.Equal([1, 1], Open("""{"model":{"vocab":{"a":1},"merges":[]}}""").Encode("aa"));

    [Theory]
    [InlineData("{\"bos_token\":\"a\",\"eos_token\":{\"content\":\"b\",\"special\":true}}", null, 1, 2)]
    [InlineData("{\"bos_token\":null}", "{\"bos_token_id\":1,\"eos_token_id\":[2,3]}", null, 2)]
    [InlineData("{}", "{\"bos_token_id\":1,\"eos_token_id\":null}", 1, null)]
    [InlineData(null, null, null, null)]
    [InlineData("{\"bos_token\":\"<nowhere>\"}", null, null, null)]
    public void BeginningAndEndComeFromTheFilesBeside(string? tokenizerConfig, string? config, int? bos, int? eos)
    {
        WriteIfAny("tokenizer_config.json", tokenizerConfig);
        WriteIfAny("config.json", config);
        var tokenizer = Open($$"""{"model":{{Model}}}""");
        Assert.Equal((bos, eos), (tokenizer.BosId, tokenizer.EosId));
    }

    [Fact]
    public void DigestIsOfAllFiles()
    {
        string file = $$"""{"model":{{Model}}}""";
        Assert.Equal(Sha256(file), Open(file).Digest);
        File.WriteAllText(folder["config.json"], "{}");
        Assert.Equal(Sha256(file + "{}"), Open(file).Digest);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Golden.Bytes("unigram.model"))), Golden.Open("unigram.model").Digest);
    }

    public void Dispose() => folder.Dispose();

    private static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private void WriteIfAny(string name, string? content)
    {
        if (content is not null)
        {
            File.WriteAllText(folder[name], content);
        }
    }

    private ITokenizer Open(string file)
    {
        File.WriteAllText(folder["tokenizer.json"], file);
        return TokenizerFile.Open(folder["tokenizer.json"]);
    }
}
