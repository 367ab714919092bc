using System.Text;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Evaluation;

/// <summary>Texts that are read piece by piece.</summary>
public sealed class TextsOfAnyLength : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AreOnePieceIfTheyAreShort() => Assert.Equal(["a\n\nb é 😀\n"], TextStream.Pieces(File("\uFEFFa\n\nb é 😀\n")));

    [Fact]
    public void AreCutAfterALineAndLoseNothing()
    {
        string text = string.Concat(Enumerable.Range(0, 400_000).Select(i => $"ünï {i}\n")); // 4.3 million characters, some of two bytes
        var pieces = TextStream.Pieces(File(text)).ToList();
        Assert.Equal(5, pieces.Count);
        Assert.All(pieces, piece => Assert.InRange(piece.Length, 1, TextStream.PieceLength));
        Assert.All(pieces, piece => Assert.EndsWith("\n", piece, StringComparison.Ordinal));
        Assert.True(string.Concat(pieces) == text);
    }

    [Fact]
    public void AreCutBeforeASpaceWhereThereIsNoLine()
    {
        string text = new string('x', TextStream.PieceLength - 5) + " " + new string('y', 100);
        Assert.Equal([TextStream.PieceLength - 5, 101], TextStream.Pieces(File(text)).Select(piece => piece.Length));
    }

    [Fact]
    public void AreNeverCutInACharacter()
    {
        string text = "x" + string.Concat(Enumerable.Repeat("😀", TextStream.PieceLength / 2)); // the limit is between the halves of one
        var pieces = TextStream.Pieces(File(text)).ToList();
        Assert.Equal([TextStream.PieceLength - 1, 2], pieces.Select(piece => piece.Length));
        Assert.True(string.Concat(pieces) == text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n \n")]
    [InlineData("one")]
    [InlineData("\n\n  one\ntwo  \n\n\n three\r\n\r\nfour\n \t \nfive\n\n")]
    [InlineData("one\r\n \r\n\u00A0\ntwo\n\n \n\nthree \n")]
    public void HaveTheParagraphsThatTheyHaveInOnePiece(string text) =>
        Assert.Equal(EvaluationWindows.Paragraphs(text), TextStream.Paragraphs(File(text)));

    [Fact]
    public void HaveThemWhereverABlockEnds()
    {
        string text = string.Concat(Enumerable.Range(0, 30_000).Select(i => $"ünï {i}\r\n{(i % 3 == 0 ? " \r\n" : "")}"));
        Assert.Equal(EvaluationWindows.Paragraphs(text), TextStream.Paragraphs(File(text)));
    }

    [Fact]
    public void HaveOfALongParagraphItsBeginning()
    {
        string text = "x" + string.Concat(Enumerable.Repeat("😀", TextStream.PieceLength)) + "\n\nnext";
        Assert.Equal([TextStream.PieceLength - 1, 4], TextStream.Paragraphs(File(text)).Select(paragraph => paragraph.Length));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(200_000)]
    [InlineData(65_535)] // the first of two bytes is the last of a block
    public void AreToldWhereTheyAreNotUtf8(int place)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(new string('a', 300_000));
        bytes[place] = 0xC3;
        System.IO.File.WriteAllBytes(folder["t.txt"], bytes);
        var diagnostic = Assert.Throws<CompressException>(() => TextStream.Pieces(folder["t.txt"]).Count()).Diagnostic;
        Assert.Equal((Codes.EvaluationText, $"it is not valid UTF-8 (near byte {place})"), (diagnostic.Code, diagnostic.Message));
    }

    [Fact]
    public void AreToldThatTheyCannotBeRead() =>
        Assert.Equal(Codes.EvaluationText, Assert.Throws<CompressException>(() => TextStream.Paragraphs(folder["none.txt"]).Count()).Diagnostic.Code);

    private string File(string text)
    {
        System.IO.File.WriteAllText(folder["t.txt"], text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        return folder["t.txt"];
    }
}
