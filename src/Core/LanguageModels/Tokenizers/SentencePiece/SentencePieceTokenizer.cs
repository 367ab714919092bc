using System.Text;

namespace Compress.Core.LanguageModels.Tokenizers.SentencePiece;

/// <summary>A tokenizer from a SentencePiece model file (Kudo and Richardson 2018), with the ids and texts of SentencePiece's own program.</summary>
internal sealed class SentencePieceTokenizer : ITokenizer
{
    private readonly SentencePieceModel model;
    private readonly Vocabulary vocabulary;
    private readonly TextNormalizer normalizer;
    private readonly TextNormalizer? denormalizer;
    private readonly ISegmenter segmenter;

    public SentencePieceTokenizer(SentencePieceModel model, string digest)
    {
        this.model = model;
        Digest = digest;
        vocabulary = new(model);
        var literals = new PieceTrie();
        for (int id = 0; id < model.Pieces.Count; id++)
        {
            if (model.Pieces[id].Type == PieceType.UserDefined)
            {
                literals.Add(model.Pieces[id].Text, id);
            }
        }

        normalizer = new(model.Normalizer, model.WhitespaceAsSuffix, literals);
        denormalizer = model.Denormalizer.CharacterMap.Length == 0 ? null : new(model.Denormalizer, false, new());
        segmenter = model.IsBpe ? new BpeSegmenter(vocabulary, literals) : new UnigramSegmenter(vocabulary);
    }

    public int VocabularySize => model.Pieces.Count;

    public int? BosId => vocabulary.Control(model.BosPiece);

    public int? EosId => vocabulary.Control(model.EosPiece);

    public string Digest { get; }

    public int[] Encode(string text)
    {
        var normalized = normalizer.Normalize(text);
        var ids = new List<int>(normalized.Length / 3);
        bool afterUnknown = false;
        foreach (var segment in segmenter.Segment(normalized))
        {
            bool unknown = segment.Id == vocabulary.UnknownId;
            if (unknown && vocabulary.ByteIds is { } bytes)
            {
                foreach (byte value in normalized[segment.Start..segment.End])
                {
                    ids.Add(bytes[value]);
                }
            }
            else if (!unknown || !afterUnknown)
            {
                ids.Add(segment.Id); // a run of unknown characters is one piece
            }

            afterUnknown = unknown;
        }

        return [.. ids];
    }

    public string Decode(ReadOnlySpan<int> ids)
    {
        var settings = model.Normalizer;
        var text = new StringBuilder();
        var bytes = new ByteBuffer(16);
        bool dropsSpace = settings.AddDummyPrefix || settings.RemoveExtraWhitespaces; // of the next piece, if it starts with one
        bool droppedSpace = false;
        foreach (int id in ids)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(id);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, VocabularySize);
            var piece = model.Pieces[id];
            string surface = Encoding.UTF8.GetString(piece.Text);
            if (piece.Type == PieceType.Byte)
            {
                bytes.Add((byte)Vocabulary.ByteOf(surface)!);
                continue;
            }

            bytes.MoveTo(text);
            dropsSpace &= !droppedSpace && text.Length == 0;
            if (piece.Type is PieceType.Control or PieceType.Unknown)
            {
                text.Append(piece.Type == PieceType.Unknown ? model.UnknownSurface : "");
                continue;
            }

            bool drop = dropsSpace && surface[0] == '\u2581';
            droppedSpace = drop && !settings.RemoveExtraWhitespaces;
            text.Append(surface[(drop ? 1 : 0)..].Replace('\u2581', ' '));
        }

        bytes.MoveTo(text);
        return denormalizer is null ? text.ToString() : Encoding.UTF8.GetString(denormalizer.Normalize(text.ToString()));
    }
}
