using System.Globalization;
using Compress.Core.Calibration;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Calibration;

/// <summary>Windows of stories260K: 512 positions, a token 1 for the beginning.</summary>
public sealed class CalibrationWindows : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly LanguageModel model = LanguageModel.Open(Assets.Stories);

    public void Dispose()
    {
        model.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void OfAShortTextAreAllOfIt()
    {
        var text = Read(Ids(100), settings => settings with { Window = 30 });
        Assert.Equal([30, 30, 30, 10], text.Windows.Select(window => window.Length));
        Assert.Equal(Enumerable.Range(0, 100), text.Windows.SelectMany(window => window));
        Assert.Matches("^text=[0-9a-f]{64} tokens=100 unit=document window=30$", text.Description);
    }

    [Fact]
    public void OfALongTextAreDrawnAndStandInItsOrder()
    {
        var text = Read(Ids(500), settings => settings with { Window = 10, Tokens = 95 });
        Assert.Equal(95, text.Tokens);
        Assert.Equal(10, text.Windows.Count);
        Assert.Equal(text.Windows.Select(window => window[0]).Order(), text.Windows.Select(window => window[0]));
        Assert.All(text.Windows, window => Assert.Equal(Enumerable.Range(window[0], window.Length), window));
        Assert.All(text.Windows, window => Assert.Equal(0, window[0] % 10));
        Assert.NotEqual(Enumerable.Range(0, 10).Select(i => i * 10), text.Windows.Select(window => window[0])); // not simply the first
        Assert.EndsWith(" seed=0", text.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void DependOnTheSeedOnlyWhereTheyAreDrawn()
    {
        string ids = Ids(500);
        Assert.NotEqual(Description(ids, 100, 0), Description(ids, 100, 1));
        Assert.Equal(Description(ids, 100, 1), Description(ids, 100, 1));
        Assert.Equal(Description(ids, 500, 0), Description(ids, 500, 1));
    }

    [Fact]
    public void BeginWithTheTokenForTheBeginning()
    {
        File.WriteAllText(folder["t.txt"], "Once upon a time, there was a rhinoceros.\n\nThe end.\n");
        Assert.All(Read(folder["t.txt"], settings => settings with { Unit = TextUnit.Paragraph }).Windows, window => Assert.Equal(1, window[0]));
    }

    [Fact]
    public void AreAsLongAsTheModelHasPositionsIfNothingIsSaid() =>
        Assert.Equal([512, 88], Read(Ids(600), settings => settings).Windows.Select(window => window.Length));

    [Fact]
    public void OfATextOfManyPiecesGoOnFromOneToTheNext()
    {
        string line = "Once upon a time, there was a rhinoceros.\n";
        int lines = (TextStream.PieceLength / line.Length) + 1000, more = TokensOf(2 * 3) - TokensOf(3);
        File.WriteAllText(folder["t.txt"], string.Concat(Enumerable.Repeat(line, lines)));
        var few = Read(folder["t.txt"], settings => settings with { Window = 100, Tokens = 1000 });
        Assert.Equal(1000, few.Tokens);
        Assert.All(few.Windows, window => Assert.Equal((100, 1), (window.Length, window[0])));
        var all = Read(folder["t.txt"], settings => settings with { Window = 100, Tokens = int.MaxValue });
        Assert.All(all.Windows.SkipLast(1), window => Assert.Equal(100, window.Length)); // no window is shorter where a piece ends

        // Each of the two pieces begins as a text does.
        Assert.Equal((lines * more / 3) + (2 * (TokensOf(3) - 1 - more)), all.Tokens - all.Windows.Count);

        int TokensOf(int count)
        {
            File.WriteAllText(folder["few.txt"], string.Concat(Enumerable.Repeat(line, count)));
            return Read(folder["few.txt"], settings => settings).Tokens;
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("\uFEFF \n\n")]
    public void AreNotOfATextWithoutWords(string content)
    {
        File.WriteAllText(folder["t.txt"], content);
        foreach (var unit in Enum.GetValues<TextUnit>())
        {
            var diagnostic = Assert.Throws<CompressException>(() => Read(folder["t.txt"], settings => settings with { Unit = unit })).Diagnostic;
            Assert.Equal((Codes.EvaluationText, folder["t.txt"]), (diagnostic.Code, diagnostic.File));
        }
    }

    private string Description(string ids, int tokens, ulong seed) =>
        Read(ids, settings => settings with { Window = 10, Tokens = tokens, Seed = seed }).Description;

    private string Ids(int count)
    {
        File.WriteAllText(folder["t.ids"], string.Join(' ', Enumerable.Range(0, count).Select(id => (id % 512).ToString(CultureInfo.InvariantCulture))));
        return folder["t.ids"];
    }

    private CalibrationText Read(string path, Func<CalibrationSettings, CalibrationSettings> with) =>
        CalibrationText.Read(with(new CalibrationSettings(path)), Path.GetDirectoryName(Assets.Stories)!, model);
}
