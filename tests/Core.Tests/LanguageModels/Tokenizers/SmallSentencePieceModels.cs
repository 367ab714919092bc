using System.Buffers.Binary;
using System.Text;
using Compress.Core.LanguageModels.Tokenizers;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.LanguageModels.Tokenizers;

/// <summary>What the trained models do not show; ids worked out by hand from SentencePiece's source, and confirmed by its program.</summary>
public sealed class SmallSentencePieceModels : IDisposable
{
    private const int Normal = 1;
    private const int Control = 3;
    private const int Unused = 5;
    private static readonly (string Text, float Score, int Type)[] Start = [("<unk>", 0, 2), ("<s>", 0, Control), ("</s>", 0, Control)];

    private readonly TempFolder folder = new();

    [Fact]
    public void PieceOfTheHighestScoreIsMergedFirst()
    {
        var tokenizer = Bpe(("a", -10, Normal), ("b", -11, Normal), ("c", -12, Normal), ("ab", -2, Normal), ("bc", -1, Normal));
        Assert.Equal([3, 7], tokenizer.Encode("abc"));
    }

    [Fact]
    public void OfEqualScoresTheLeftmostIsMergedFirst()
    {
        var tokenizer = Bpe(("a", -10, Normal), ("b", -11, Normal), ("c", -12, Normal), ("ab", -1, Normal), ("bc", -1, Normal));
        Assert.Equal([6, 5], tokenizer.Encode("abc"));
        Assert.Equal([6, 6, 7], tokenizer.Encode("ababbc"));
    }

    [Fact]
    public void UnusedPieceIsMergedOnTheWayAndFallsApartAtTheEnd()
    {
        var tokenizer = Bpe(("a", -10, Normal), ("b", -11, Normal), ("c", -12, Normal), ("ab", -1, Unused), ("abc", -2, Normal));
        Assert.Equal([7], tokenizer.Encode("abc"));
        Assert.Equal([3, 4], tokenizer.Encode("ab"));
        Assert.Equal([3, 4, 3, 4, 4, 7], tokenizer.Encode("ababbabc"));
    }

    [Fact]
    public void UnusedPieceFallsApartIntoCharactersThatAreNoPieces()
    {
        var tokenizer = Bpe(("a", -10, Normal), ("éx", -1, Unused), ("éxa", -3, Unused));
        Assert.Equal([0, 3, 0, 3], tokenizer.Encode("éxaéa"));
    }

    [Fact]
    public void UnusedPieceIsNeverTheUnigramsChoice()
    {
        var tokenizer = Open(1, ("a", -3, Normal), ("b", -3, Normal), ("ab", -1, Unused), ("ba", -1, Normal));
        Assert.Equal([3, 4], tokenizer.Encode("ab"));
        Assert.Equal([6], tokenizer.Encode("ba"));
    }

    [Fact]
    public void CharactersWithinPiecesNeedBeNoPieces() => Assert.Equal([0, 3, 0], Bpe(("xy", -1, Normal)).Encode("xxyy"));

    /// <summary>SentencePiece itself fails here; the character is in no piece that text is cut into.</summary>
    [Fact]
    public void ControlPieceOfOneCharacterIsUnknownInText() => Assert.Equal([4, 0, 4], Bpe(("#", 0, Control), ("a", -1, Normal)).Encode("a#a"));

    [Fact]
    public void LoneSurrogatesAreReplacementCharacters() => Assert.Equal([3, 4, 3], Bpe(("a", -1, Normal), ("\ufffd", -2, Normal)).Encode("a\ud800a"));

    public void Dispose() => folder.Dispose();

    private static byte[] Message(byte field, params byte[] content) => [(byte)((field << 3) | 2), (byte)content.Length, .. content];

    private ITokenizer Bpe(params (string Text, float Score, int Type)[] pieces) => Open(2, pieces);

    private ITokenizer Open(byte type, params (string Text, float Score, int Type)[] pieces)
    {
        var file = new List<byte>();
        foreach (var (text, score, kind) in Start.Concat(pieces))
        {
            byte[] score4 = new byte[4];
            BinaryPrimitives.WriteSingleLittleEndian(score4, score);
            byte[] utf8 = Encoding.UTF8.GetBytes(text);
            file.AddRange(Message(1, [10, (byte)utf8.Length, .. utf8, 21, .. score4, 24, (byte)kind]));
        }

        file.AddRange(Message(2, 24, type));
        file.AddRange(Message(3, 24, 0)); // no dummy prefix
        File.WriteAllBytes(folder["tokenizer.model"], [.. file]);
        return TokenizerFile.Open(folder["tokenizer.model"]);
    }
}
