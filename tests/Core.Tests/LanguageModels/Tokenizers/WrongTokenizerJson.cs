using System.Text;
using System.Text.Json.Nodes;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels.Tokenizers;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.LanguageModels.Tokenizers;

public sealed class WrongTokenizerJson : IDisposable
{
    private readonly TempFolder folder = new();

    [Theory]
    [InlineData("model.type", "\"Unigram\"", "model is of type 'Unigram'; known is 'BPE'")]
    [InlineData("model.dropout", "0.1", "model.dropout is set, which is not known here")]
    [InlineData("model.continuing_subword_prefix", "\"##\"", "model.continuing_subword_prefix is set, which is not known here")]
    [InlineData("normalizer", "{\"type\":\"Lowercase\"}", "normalizer is of type 'Lowercase', which is not known here; known are Sequence, NFC,")]
    [InlineData("normalizer", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Nmt\"}]}", "normalizer.normalizers[0] is of type 'Nmt'")]
    [InlineData("pre_tokenizer", "{\"type\":\"BertPreTokenizer\"}", "pre_tokenizer is of type 'BertPreTokenizer'")]
    [InlineData("pre_tokenizer", "{\"type\":\"Digits\",\"mode\":\"roman\"}", "pre_tokenizer.mode is set, which is not known here; known are individual_digits")]
    [InlineData("decoder", "{\"type\":\"WordPiece\"}", "decoder is of type 'WordPiece'")]
    [InlineData("added_tokens", "[{\"id\":9,\"content\":\"x\",\"weight\":2}]", "added_tokens[0].weight is set")]
    [InlineData("magic", "1", "magic is set, which is not known here")]
    [InlineData("normalizer", "{\"type\":\"Replace\",\"pattern\":{\"Glob\":\"*\"},\"content\":\"\"}", "normalizer.pattern.Glob is set")]
    public void AsksForSomethingUnknown(string place, string value, string message) => AssertRefused(place, value, Codes.TokenizerNotSupported, message);

    [Theory]
    [InlineData(@"\\w+", @"it holds '\w'")]
    [InlineData(@"\\bx", @"it holds '\b'")]
    [InlineData(@"[\\p{L}&&[a-z]]", "it holds a class within a class")]
    [InlineData("[[:alpha:]]", "it holds a class within a class")]
    [InlineData("(?<name>x)", "it holds a group that is none of")]
    [InlineData("(?>x)", "it holds a group that is none of")]
    [InlineData("\U0001F600", "it names a character beyond U+FFFF")]
    [InlineData("a++", "is not known here: ")]
    [InlineData(@"\\p{Han}", "is not known here: ")]
    [InlineData("(", "is not known here: ")]
    [InlineData("[", "is not known here: ")]
    [InlineData("\\\\", "is not known here: ")]
    public void HasARegularExpressionThatIsReadDifferently(string pattern, string message) =>
        AssertRefused("pre_tokenizer", Split(pattern), Codes.TokenizerNotSupported, message);

    [Theory]
    [InlineData("model.vocab", "{\"a\":0,\"b\":0}", "model.vocab has the id 0 twice")]
    [InlineData("model.vocab", "{\"a\":0,\"a\":1}", "model.vocab has the token 'a' twice")]
    [InlineData("model.vocab", "{\"a\":-1}", "model.vocab.a: found '-1', expected a token id")]
    [InlineData("model.vocab", "{\"a\":2147483647}", "model.vocab.a: found '2147483647', expected a token id")]
    [InlineData("model.vocab", "{\"a\":99999999999}", "model.vocab.a: found '99999999999', expected a whole number below 2,147,483,648")]
    [InlineData("model.vocab", "[]", "model.vocab: found a list, expected an object")]
    [InlineData("model.merges", "[\"a\"]", "model.merges[0]: found '\"a\"', expected two tokens")]
    [InlineData("model.merges", "[[\"a\",\"b\",\"c\"]]", "model.merges[0]: found a list, expected two tokens")]
    [InlineData("model.merges", "[\"a x\"]", "model.merges[0]: 'x' is no token of the vocabulary")]
    [InlineData("model.merges", "[\"b a\"]", "model.merges[0]: 'ba' is no token of the vocabulary")]
    [InlineData("model.merges", "null", "model.merges: found nothing, expected a list")]
    [InlineData("model.unk_token", "\"<?>\"", "model.unk_token: found '\"<?>\"', expected a token of the vocabulary")]
    [InlineData("model", "7", "model: found '7', expected an object")]
    [InlineData("model.byte_fallback", "\"yes\"", "model.byte_fallback: found '\"yes\"', expected true or false")]
    [InlineData("normalizer", "{\"type\":\"Prepend\",\"prepend\":\"\\ud800\"}", "normalizer.prepend: found '\"\\ud800\"', expected a text of valid Unicode")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Kept\"}", "pre_tokenizer.behavior: found '\"Kept\"', expected Removed, Isolated,")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"String\":\"\"},\"behavior\":\"Isolated\"}", "pre_tokenizer.pattern.String: found '\"\"', expected a text that is not empty")]
    [InlineData("pre_tokenizer", "{\"type\":\"Metaspace\",\"replacement\":\"__\"}", "pre_tokenizer.replacement: found '\"__\"', expected one character")]
    [InlineData("pre_tokenizer", "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"last\"}", "prepend_scheme: found '\"last\"', expected 'always', 'first' or 'never'")]
    [InlineData("decoder", "{\"type\":\"Strip\",\"content\":\"ab\",\"start\":1,\"stop\":0}", "decoder.content: found '\"ab\"', expected one character")]
    public void IsMalformed(string place, string value, string message) => AssertRefused(place, value, Codes.TokenizerMalformed, message);

    [Fact]
    public void IsNoJson()
    {
        var diagnostic = Refused("{\n  \"model\": }\n");
        Assert.Equal((Codes.TokenizerMalformed, 2, 12), (diagnostic.Code, diagnostic.Line, diagnostic.Column));
        Assert.Contains("is not well-formed JSON", diagnostic.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void IsNestedTooDeeply() =>
        Assert.Equal(Codes.TokenizerMalformed, Refused(string.Concat(Enumerable.Repeat("{\"normalizer\":", 100_000))).Code);

    [Fact]
    public void HasARegularExpressionThatTakesForEver()
    {
        string path = Write(Changed("pre_tokenizer", Split("(?:a|a|aa)+(?!\\\\S)b")));
        var tokenizer = TokenizerFile.Open(path);
        var diagnostic = Assert.Throws<CompressException>(() => tokenizer.Encode(new string('a', 200))).Diagnostic;
        Assert.Equal((Codes.TokenizerMalformed, path), (diagnostic.Code, diagnostic.File));
        Assert.Contains("takes more than", diagnostic.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReplacesByAnEnormousText()
    {
        string path = Write(Changed("normalizer", $$"""{"type":"Replace","pattern":{"String":"a"},"content":"{{new string('b', 10_000)}}"}"""));
        var diagnostic = Assert.Throws<CompressException>(() => TokenizerFile.Open(path).Encode(new string('a', 30_000))).Diagnostic;
        Assert.Contains("makes a text of more than 268435456 characters", diagnostic.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer_config.json", "{\"bos_token\":7}", "bos_token: found '7', expected a text")]
    [InlineData("config.json", "{\"eos_token_id\":\"x\"}", "eos_token_id: found '\"x\"', expected a whole number below 2,147,483,648")]
    [InlineData("config.json", "[", "is not well-formed JSON")]
    public void HasABadFileBeside(string name, string content, string message)
    {
        File.WriteAllText(folder[name], content);
        var diagnostic = Refused(Changed("normalizer", "null"));
        Assert.Equal((Codes.TokenizerMalformed, folder[name]), (diagnostic.Code, diagnostic.File));
        Assert.Contains(message, diagnostic.Message, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Dispose();

    private static string Split(string pattern) => $$"""{"type":"Split","pattern":{"Regex":"{{pattern}}"},"behavior":"Isolated"}""";

    /// <summary>A good file with another value at one place.</summary>
    private static string Changed(string place, string value)
    {
        const string Marker = "\"here\"";
        var file = JsonNode.Parse("""{"added_tokens":[],"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}""")!;
        string[] keys = place.Split('.');
        (keys.Length == 1 ? file : file[keys[0]]!)[keys[^1]] = "here";
        return file.ToJsonString().Replace(Marker, value, StringComparison.Ordinal);
    }

    private void AssertRefused(string place, string value, string code, string message)
    {
        var diagnostic = Refused(Changed(place, value));
        Assert.Equal((code, folder["tokenizer.json"]), (diagnostic.Code, diagnostic.File));
        Assert.Contains(message, diagnostic.Message, StringComparison.Ordinal);
    }

    private Diagnostic Refused(string file) => Assert.Throws<CompressException>(() => TokenizerFile.Open(Write(file))).Diagnostic;

    private string Write(string file)
    {
        string path = folder["tokenizer.json"];
        File.WriteAllBytes(path, Encoding.UTF8.GetBytes(file));
        return path;
    }
}
