using System.Text;
using System.Text.Unicode;

namespace Compress.Core.LanguageModels.Tokenizers.SentencePiece;

/// <summary>What a piece is for. The numbers are the file's.</summary>
internal enum PieceType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>One entry of the vocabulary. <c>Text</c> is UTF-8; spaces are U+2581.</summary>
internal readonly record struct Piece(byte[] Text, float Score, PieceType Type);

/// <summary>How text is brought into the form that pieces are cut from. The defaults are SentencePiece's.</summary>
internal sealed record NormalizerSettings
{
    public byte[] CharacterMap { get; set; } = [];
    public bool AddDummyPrefix { get; set; } = true;
    public bool RemoveExtraWhitespaces { get; set; } = true;
    public bool EscapeWhitespaces { get; set; } = true;
}

/// <summary>A SentencePiece model file: the message ModelProto of sentencepiece_model.proto, as far as encoding and decoding need it.</summary>
internal sealed class SentencePieceModel
{
    private const int UnigramType = 1;
    private const int BpeType = 2;
    // In bytes. Cutting a text may take time in proportion to its length times the longest piece's; the usual limit of training is 16 characters.
    private const int LongestPiece = 4096;

    private static readonly string[] Types = ["unigram", "BPE", "word", "character"];

    private int modelType = UnigramType;

    public List<Piece> Pieces { get; } = [];

    public bool IsBpe => modelType == BpeType;

    public bool ByteFallback { get; private set; }

    public bool WhitespaceAsSuffix { get; private set; }

    public string BosPiece { get; private set; } = "<s>";

    public string EosPiece { get; private set; } = "</s>";

    public string UnknownSurface { get; private set; } = " \u2047 ";

    public NormalizerSettings Normalizer { get; } = new();

    public NormalizerSettings Denormalizer { get; } = new();

    public static SentencePieceModel Read(ReadOnlySpan<byte> file)
    {
        var model = new SentencePieceModel();
        var reader = new ProtobufReader(file);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: model.Pieces.Add(ReadPiece(reader.Bytes(), model.Pieces.Count)); break;
                case 2: model.ReadTraining(reader.Bytes()); break;
                case 3: ReadNormalizer(reader.Bytes(), model.Normalizer); break;
                case 5: ReadNormalizer(reader.Bytes(), model.Denormalizer); break;
            }
        }

        if (model.Pieces.Count == 0)
        {
            throw new TokenizerException("the file holds no pieces; is it a SentencePiece model?");
        }

        if (model.modelType is not (UnigramType or BpeType))
        {
            string name = model.modelType is > 0 and <= 4 ? $"{Types[model.modelType - 1]} ({model.modelType})" : $"{model.modelType}";
            throw new TokenizerException($"the SentencePiece model is of type {name}; known are unigram (1) and BPE (2)", unsupported: true);
        }

        return model;
    }

    private static Piece ReadPiece(ReadOnlySpan<byte> message, int index)
    {
        byte[] text = [];
        float score = 0;
        var type = PieceType.Normal;
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: text = reader.Bytes().ToArray(); break;
                case 2: score = reader.Single(); break;
                case 3: type = (PieceType)reader.Int32(); break;
            }
        }

        return text.Length == 0 ? throw new TokenizerException($"piece {index} is empty")
            : text.Length > LongestPiece ? throw new TokenizerException($"piece {index} has {text.Length} bytes; the limit is {LongestPiece}")
            : !Utf8.IsValid(text) ? throw new TokenizerException($"piece {index} is not valid UTF-8")
            : !float.IsFinite(score) ? throw new TokenizerException($"the score of piece {index} is {score}")
            : !Enum.IsDefined(type) ? throw new TokenizerException($"piece {index} is of type {(int)type}; known are 1 to 6", unsupported: true)
            : new(text, score, type);
    }

    private void ReadTraining(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3: modelType = reader.Int32(); break;
                case 24: WhitespaceAsSuffix = reader.Bool(); break;
                case 35: ByteFallback = reader.Bool(); break;
                case 44: UnknownSurface = Encoding.UTF8.GetString(reader.Bytes()); break;
                case 46: BosPiece = Encoding.UTF8.GetString(reader.Bytes()); break;
                case 47: EosPiece = Encoding.UTF8.GetString(reader.Bytes()); break;
            }
        }
    }

    private static void ReadNormalizer(ReadOnlySpan<byte> message, NormalizerSettings settings)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2: settings.CharacterMap = reader.Bytes().ToArray(); break;
                case 3: settings.AddDummyPrefix = reader.Bool(); break;
                case 4: settings.RemoveExtraWhitespaces = reader.Bool(); break;
                case 5: settings.EscapeWhitespaces = reader.Bool(); break;
            }
        }
    }
}
