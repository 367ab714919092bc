using System.Text;

namespace Compress.Core.LanguageModels.Tokenizers.SentencePiece;

/// <summary>
/// The most probable pieces under a unigram language model (Kudo 2018, section 3.1), by the Viterbi algorithm. Sums are rounded where
/// SentencePiece rounds them (EncodeOptimized in unigram_model.cc), so that equally good ways are told apart as it does.
/// </summary>
internal sealed class UnigramSegmenter : ISegmenter
{
    private const float UnknownPenalty = 10;

    private readonly Vocabulary vocabulary;
    private readonly PieceTrie pieces = new();
    private readonly float unknownScore;
    private readonly float highestScore = BitConverter.UInt32BitsToSingle(0x0080_0000); // SentencePiece starts from FLT_MIN, a positive number

    public UnigramSegmenter(Vocabulary vocabulary)
    {
        this.vocabulary = vocabulary;
        float lowestScore = float.MaxValue;
        for (int id = 0; id < vocabulary.Pieces.Length; id++)
        {
            var (text, score, type) = vocabulary.Pieces[id];
            if (vocabulary.IsCut(id))
            {
                pieces.Add(text, id);
            }

            if (type == PieceType.Normal)
            {
                lowestScore = Math.Min(lowestScore, score);
                highestScore = Math.Max(highestScore, score);
            }
        }

        unknownScore = lowestScore - UnknownPenalty;
    }

    public List<Segment> Segment(ReadOnlySpan<byte> text)
    {
        var best = new Node[text.Length + 1]; // the best way to each byte
        Array.Fill(best, new(-1, -1, 0));
        int length;
        for (int start = 0; start < text.Length; start += length)
        {
            Rune.DecodeFromUtf8(text[start..], out _, out length);
            float score = best[start].Score;
            bool known = false;
            for (var walk = pieces.StartsOf(text[start..]); walk.Next();)
            {
                var piece = vocabulary.Pieces[walk.Value];
                if (piece.Type == PieceType.Unused)
                {
                    continue;
                }

                known |= walk.Length == length;
                Offer(ref best[start + walk.Length], walk.Value, start, score + ScoreOf(piece, walk.Length));
            }

            if (!known)
            {
                Offer(ref best[start + length], vocabulary.UnknownId, start, unknownScore + score);
            }
        }

        var result = new List<Segment>();
        for (int end = text.Length; end > 0; end = best[end].Start)
        {
            result.Add(new(best[end].Id, best[end].Start, end));
        }

        result.Reverse();
        return result;
    }

    // User-defined symbols win by a bonus that grows with their length in bytes.
    private double ScoreOf(Piece piece, int length) => piece.Type == PieceType.UserDefined ? (length * highestScore) - 0.1 : piece.Score;

    private static void Offer(ref Node node, int id, int start, double score)
    {
        if (node.Start < 0 || score > node.Score)
        {
            node = new(id, start, (float)score);
        }
    }

    private readonly record struct Node(int Id, int Start, float Score);
}
