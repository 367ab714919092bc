using System.IO.Compression;
using System.Text.Json;
using Compress.Cli.Tests.Infra;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels.Tokenizers;

namespace Compress.LongTests;

/// <summary>
/// stories260K under the two protocols of docs/evaluation.md, by <c>compress eval</c>. The expected figures were computed with numpy, from
/// the model's definition.
/// </summary>
public sealed class PerplexityOfARealModel : IDisposable
{
    private const int Bos = 1;
    private const int EndOfLine = 13;

    private static readonly string Assets = Path.Combine(AppContext.BaseDirectory, "assets");
    private static readonly string Model = Path.Combine(Assets, "stories260K");

    private readonly Workspace workspace = new();
    private readonly string text;

    public PerplexityOfARealModel()
    {
        using var packed = new GZipStream(File.OpenRead(Path.Combine(Assets, "text", "tinystories.txt.gz")), CompressionMode.Decompress);
        using var reader = new StreamReader(packed);
        text = reader.ReadToEnd();
    }

    public void Dispose() => workspace.Dispose();

    [Fact]
    public void ProtocolAOfSingleParagraphs()
    {
        workspace.Text("stories.txt", text);
        Gives(73_816, 1.47828, 4.3854, "--text", "stories.txt", "--unit", "paragraph", "--window", "257", "--limit", "800");
    }

    [Fact]
    public void ProtocolBOfParagraphsOneAfterTheOther()
    {
        var tokenizer = TokenizerFile.Open(Path.Combine(Model, "tokenizer.model"));
        var ids = EvaluationWindows.Paragraphs(text).Take(1200).SelectMany(paragraph => tokenizer.Encode(paragraph).Append(EndOfLine));
        workspace.Text("b.ids", string.Join(' ', ids.Chunk(511).SelectMany(piece => piece.Prepend(Bos))));
        Gives(40_880, 1.42596, 4.1618, "--text", "b.ids", "--window", "512", "--limit", "80");
    }

    private void Gives(int tokens, double nll, double perplexity, params string[] args)
    {
        var outcome = workspace.Run(["eval", Model, .. args, "--no-cache", "--report", "report.json"]);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        var report = JsonDocument.Parse(File.ReadAllBytes(workspace["report.json"])).RootElement;
        Assert.Equal(tokens, report.GetProperty("tokens").GetInt32());
        Assert.Equal(nll, report.GetProperty("nll").GetDouble(), 0.5e-5);
        Assert.Equal(perplexity, report.GetProperty("perplexity").GetDouble(), 0.5e-4);
    }
}
