using System.Buffers.Binary;
using System.Text;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels.Tokenizers;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.LanguageModels.Tokenizers;

public sealed class WrongTokenizers : IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public void FolderWithoutOneIsNamed() =>
        AssertRefused(Codes.TokenizerNotReadable, "has no tokenizer", folder.Path, () => TokenizerFile.Find(folder.Path));

    [Fact]
    public void ModelFileIsPreferredToItsConversion()
    {
        File.WriteAllText(folder["tokenizer.json"], "");
        Assert.Equal(folder["tokenizer.json"], TokenizerFile.Find(folder.Path));
        File.WriteAllText(folder["tokenizer.model"], "");
        Assert.Equal(folder["tokenizer.model"], TokenizerFile.Find(folder.Path));
    }

    [Fact]
    public void MissingFileIsNamed() =>
        AssertRefused(Codes.TokenizerNotReadable, "cannot be read", folder["tokenizer.model"], () => TokenizerFile.Open(folder["tokenizer.model"]));

    [Theory]
    [InlineData(512, null)]
    [InlineData(576, null)] // padded
    [InlineData(511, "has 512 tokens and the model 511")]
    [InlineData(577, "has 512 tokens and the model 577")]
    [InlineData(32_000, "has 512 tokens and the model 32000")]
    public void TokenizerOfAnotherModelIsRefused(int rows, string? message)
    {
        var tokenizer = Golden.Open("stories260K.model");
        void Check() => TokenizerFile.CheckFits(tokenizer, "/m/tokenizer.model", rows);
        if (message is null)
        {
            Check();
        }
        else
        {
            AssertRefused(Codes.TokenizerNotOfModel, message, "/m/tokenizer.model", Check);
        }
    }

    [Fact]
    public void CutOffFileIsMalformed() => AssertRefused(Golden.Bytes("unigram.model")[..1000], Codes.TokenizerMalformed, "the protobuf data end within field 1");

    [Fact]
    public void EmptyFileIsMalformed() => AssertRefused([], Codes.TokenizerMalformed, "holds no pieces");

    [Fact]
    public void TextFileIsMalformed() =>
        AssertRefused("version https://git-lfs.github.com/spec/v1\n"u8.ToArray(), Codes.TokenizerMalformed, "the protobuf data");

    [Theory]
    [InlineData(3, "of type word (3); known are unigram (1) and BPE (2)")]
    [InlineData(4, "of type character (4); known are unigram (1) and BPE (2)")]
    [InlineData(9, "of type 9; known are unigram (1) and BPE (2)")]
    public void UnknownTypeIsNamed(byte type, string message) =>
        AssertRefused([.. Piece("<unk>", 2), .. Message(2, 3 << 3, type)], Codes.TokenizerNotSupported, message);

    [Fact]
    public void PiecesMustBeDifferentAndNotEmpty()
    {
        AssertRefused([.. Piece("<unk>", 2), .. Piece("a", 1), .. Piece("a", 1)], Codes.TokenizerMalformed, "piece 2, 'a', is there twice");
        AssertRefused([.. Piece("<unk>", 2), .. Piece("", 1)], Codes.TokenizerMalformed, "piece 1 is empty");
        AssertRefused([.. Piece("<unk>", 2), .. Piece("a", 77)], Codes.TokenizerNotSupported, "piece 1 is of type 77; known are 1 to 6");
        AssertRefused([.. Piece("<unk>", 2), .. Piece("a", 1, float.NaN)], Codes.TokenizerMalformed, "the score of piece 1 is NaN");
        AssertRefused([.. Piece("<unk>", 2), .. Message(1, 10, 1, 0xFF)], Codes.TokenizerMalformed, "piece 1 is not valid UTF-8");
    }

    [Fact]
    public void NothingIsWithoutLimits()
    {
        byte[] piece = [10, 0x81, 0x20, .. Enumerable.Repeat((byte)'a', 4097)];
        AssertRefused([10, 0x84, 0x20, .. piece], Codes.TokenizerMalformed, "piece 0 has 4097 bytes; the limit is 4096");
        byte[] map = [4, 0, 0, 0, 0, 0, 0, 0, .. Enumerable.Repeat((byte)'b', 257)];
        AssertRefused(
            [.. Piece("<unk>", 2), 26, 0x8C, 0x02, 18, 0x89, 0x02, .. map], Codes.TokenizerMalformed,
            "replaces a character by 257 bytes; the limit is 256");
    }

    [Fact]
    public void OnePieceIsTheUnknown()
    {
        AssertRefused(Piece("a", 1), Codes.TokenizerMalformed, "no piece is the unknown piece");
        AssertRefused([.. Piece("a", 2), .. Piece("b", 2)], Codes.TokenizerMalformed, "pieces 0 and 1 are both the unknown piece");
    }

    [Fact]
    public void ByteFallbackNeedsAllBytes()
    {
        byte[] fallback = Message(2, 0x98, 0x02, 1); // field 35
        AssertRefused([.. Piece("<unk>", 2), .. Piece("<0x00>", 6), .. fallback], Codes.TokenizerMalformed, "has no piece '<0x01>'");
        AssertRefused([.. Piece("<unk>", 2), .. Piece("<0xZZ>", 6), .. fallback], Codes.TokenizerMalformed, "piece 1, '<0xZZ>', is no byte");
    }

    [Theory]
    [InlineData(0, 8)]
    [InlineData(5, 8)]
    [InlineData(12, 8)]
    [InlineData(4, 3)]
    public void CharacterMapMustHoldItsTrie(uint trieLength, int length)
    {
        byte[] map = new byte[length];
        BinaryPrimitives.WriteUInt32LittleEndian(map.Length < 4 ? new byte[4] : map, trieLength);
        AssertRefused([.. Piece("<unk>", 2), .. Message(3, [18, (byte)length, .. map])], Codes.TokenizerMalformed, "the precompiled character map");
    }

    [Fact]
    public void OtherIdsThanTheVocabularysAreNotDecoded()
    {
        var tokenizer = Golden.Open("stories260K.model");
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([512]));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([-1]));
    }

    public void Dispose() => folder.Dispose();

    private static byte[] Message(int field, params byte[] content) => [(byte)((field << 3) | 2), (byte)content.Length, .. content];

    private static byte[] Piece(string text, byte type, float score = 0)
    {
        byte[] score4 = new byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(score4, score);
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return Message(1, [10, (byte)utf8.Length, .. utf8, 21, .. score4, 24, type]);
    }

    private static void AssertRefused(string code, string message, string file, Action action)
    {
        var diagnostic = Assert.Throws<CompressException>(action).Diagnostic;
        Assert.Equal((code, file), (diagnostic.Code, diagnostic.File));
        Assert.Contains(message, diagnostic.Message, StringComparison.Ordinal);
    }

    private void AssertRefused(byte[] content, string code, string message)
    {
        string path = folder["tokenizer.model"];
        File.WriteAllBytes(path, content);
        AssertRefused(code, message, path, () => TokenizerFile.Open(path));
    }
}
