using ConsumerApp;

namespace Compress.Build.Tests.Sample;

public class TokenizerOfTheSample
{
    private readonly Tokenizer tokenizer = new(Path.Combine(AppContext.BaseDirectory, "assets", "stories260K", "tokenizer.json"));

    // The numbers are those of tokenizer.json's own list of merges, which this tokenizer does not use.
    [Theory]
    [InlineData("Once upon a time, there was a little girl", new[] { 1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421 })]
    [InlineData("The  cat's “ñandú” 🙂\n", new[] { 1, 291, 410, 280, 294, 439, 419, 410, 465, 493, 412, 264, 198, 189, 466, 410, 243, 162, 156, 133, 13 })]
    [InlineData("", new[] { 1 })]
    public void EncodesAsTheListOfMergesDoes(string text, int[] tokens) => Assert.Equal(tokens, tokenizer.Encode(text));

    [Fact]
    public void DecodesByteByByteWithoutBreakingCharacters()
    {
        string[] told = [.. tokenizer.Encode("a 🙂 é").Select(tokenizer.Decode)];
        Assert.Equal(["", "a", " ", "", "", "", "🙂", " ", "é"], told);
    }
}
