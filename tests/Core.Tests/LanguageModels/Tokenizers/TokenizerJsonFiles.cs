using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Compress.Core.LanguageModels.Tokenizers.HuggingFace;

namespace Compress.Core.Tests.LanguageModels.Tokenizers;

/// <summary>Against Hugging Face's own libraries, see tests/assets/tokenizers/golden.js.</summary>
public class TokenizerJsonFiles
{
    public static TheoryData<string> Names => ["gpt2", "qwen2", "llama3", "digits", "splits", "metaspace", "stories260K-json"];

    private static string[] Lines => [.. Golden.Texts.Index().Where(pair => pair.Index % 8 == 0).Select(pair => pair.Item), .. Golden.Odd];

    [Theory]
    [MemberData(nameof(Names))]
    public void EncodeAsHuggingFace(string name) => Golden.AssertEncodes(Golden.OpenJson(name), Lines, Golden.Ids(name));

    [Theory]
    [MemberData(nameof(Names))]
    public void DecodeAsHuggingFace(string name) => Golden.AssertDecodes(Golden.OpenJson(name), Golden.Ids(name)[^Golden.Odd.Length..], Golden.DecodedOdd(name));

    /// <summary>The conversion neither removes white space nor takes "&lt;s&gt;" for text; elsewhere it is the same tokenizer.</summary>
    [Fact]
    public void ConversionAgreesWithItsModelFile()
    {
        var model = Golden.Open("stories260K.model");
        var json = Golden.OpenJson("stories260K-json");
        string[] lines = [.. Golden.Texts.Concat(Golden.Odd).Where(line =>
            line == line.Trim(' ') && !line.Contains("  ", StringComparison.Ordinal) && !line.Contains('\u2581') && !line.Contains('<'))];
        Assert.True(lines.Length > 2000);
        Golden.AssertEncodes(json, lines, [.. lines.Select(model.Encode)]);
        Assert.Equal((model.BosId, model.EosId, model.VocabularySize), (json.BosId, json.EosId, json.VocabularySize));
    }

    [Theory]
    [InlineData("NFC", NormalizationForm.FormC)]
    [InlineData("NFD", NormalizationForm.FormD)]
    [InlineData("NFKC", NormalizationForm.FormKC)]
    [InlineData("NFKD", NormalizationForm.FormKD)]
    public void NormalFormsOfAllCodePointsArePythons(string name, NormalizationForm form)
    {
        using var expected = JsonDocument.Parse(Golden.Bytes("normalization.json"));
        var points = Enumerable.Range(0, 0x30000).Where(Rune.IsValid).Select(point => new Rune(point).ToString());
        string text = string.Join('\n', points.Concat(Golden.Odd).Select(part => UnicodeNormalization.Normalize(part, form)));
        Assert.Equal(expected.RootElement.GetProperty(name).GetString(), Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }
}
