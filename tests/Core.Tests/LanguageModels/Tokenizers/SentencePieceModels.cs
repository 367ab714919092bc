namespace Compress.Core.Tests.LanguageModels.Tokenizers;

/// <summary>Against SentencePiece 0.1.97, see tests/assets/tokenizers/golden.py.</summary>
public class SentencePieceModels
{
    public static TheoryData<string> Names => ["stories260K", "novels6M", "unigram", "bpe-nfkc", "unigram-bytes", "bpe-suffix"];

    [Theory]
    [MemberData(nameof(Names))]
    public void EncodeAsSentencePiece(string name) =>
        Golden.AssertEncodes(Golden.Open($"{name}.model"), [.. Golden.Texts, .. Golden.Odd], Golden.Ids(name));

    [Theory]
    [MemberData(nameof(Names))]
    public void DecodeAsSentencePiece(string name) =>
        Golden.AssertDecodes(Golden.Open($"{name}.model"), Golden.Ids(name)[Golden.Texts.Length..], Golden.DecodedOdd(name));
}
