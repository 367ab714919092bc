using System.Text;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels.Tokenizers;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.LanguageModels.Tokenizers;

public sealed class TokenFiles : IDisposable
{
    private readonly TempFolder folder = new();

    [Theory]
    [InlineData("1\n2\n511\n")]
    [InlineData("1 2 511")]
    [InlineData("\uFEFF\t1  2\r\n\r\n0511 ")]
    [InlineData("[1,2,511]")]
    [InlineData(" [ 1 , 2\n, 511 ]\n")]
    public void HoldNumbersBetweenWhiteSpaceOrAJsonArray(string text) => Assert.Equal([1, 2, 511], Read(text));

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    [InlineData("[]")]
    public void MayBeEmpty(string text) => Assert.Empty(Read(text));

    [Theory]
    [InlineData("1\n2 512", 2, 3, "512 is not in the vocabulary, whose ids are 0 to 511; were these ids made for another model?")]
    [InlineData("99999999999999999999999", 1, 1, "99999999999999999999 is not in the vocabulary, whose ids are 0 to 511; were these ids made for another model?")]
    [InlineData("1 -2", 1, 3, "here is '-'; token ids are decimal numbers between white space, or one JSON array of them")]
    [InlineData("1.5", 1, 2, "here is '.'; token ids are decimal numbers between white space, or one JSON array of them")]
    [InlineData("1\n\0", 2, 1, "here is the byte 0x00; token ids are decimal numbers between white space, or one JSON array of them")]
    [InlineData("Once upon", 1, 1, "here is 'O'; token ids are decimal numbers between white space, or one JSON array of them")]
    [InlineData("1,2", 1, 2, "here is ','; token ids are decimal numbers between white space, or one JSON array of them")]
    [InlineData("[1 2]", 1, 4, "here is '2'; ',' is expected")]
    [InlineData("[1,\n2", 2, 2, "the file ends here; ',' is expected")]
    [InlineData("[1,]", 1, 4, "here is ']'; token ids are decimal numbers between white space, or one JSON array of them")]
    [InlineData("[[1]]", 1, 2, "here is '['; token ids are decimal numbers between white space, or one JSON array of them")]
    [InlineData("[1] 2", 1, 5, "here is '2' behind the array; one array of token ids is expected")]
    public void SayWhereTheyAreWrong(string text, int line, int column, string message)
    {
        var diagnostic = Assert.Throws<CompressException>(() => Read(text)).Diagnostic;
        Assert.Equal(new(Codes.TokenFileMalformed, Severity.Error, message, folder["ids.txt"], line, column), diagnostic);
    }

    [Fact]
    public void OfAnyLengthAreReadAsTheyCome()
    {
        int[] ids = [.. Enumerable.Range(0, 60_000).Select(i => i * 7 % 512)];
        Assert.Equal(ids, Read(string.Join(" \n", ids)));
        Assert.Equal(ids, TokenFile.Stream(folder["ids.txt"], 512));
        File.AppendAllText(folder["ids.txt"], " \n512");
        Assert.Equal(ids.Take(100), TokenFile.Stream(folder["ids.txt"], 512).Take(100)); // what is not read is not looked at
        var diagnostic = Assert.Throws<CompressException>(() => TokenFile.Stream(folder["ids.txt"], 512).Count()).Diagnostic;
        Assert.Equal((Codes.TokenFileMalformed, 60_001, 1), (diagnostic.Code, diagnostic.Line, diagnostic.Column));
    }

    [Fact]
    public void ThatAreMissingAreNamed()
    {
        var diagnostic = Assert.Throws<CompressException>(() => TokenFile.Read(folder["none.txt"], 512)).Diagnostic;
        Assert.Equal((Codes.TokenizerNotReadable, folder["none.txt"]), (diagnostic.Code, diagnostic.File));
    }

    public void Dispose() => folder.Dispose();

    private int[] Read(string text)
    {
        File.WriteAllBytes(folder["ids.txt"], Encoding.UTF8.GetBytes(text));
        return TokenFile.Read(folder["ids.txt"], 512);
    }
}
