namespace Compress.Core.LanguageModels.Tokenizers.SentencePiece;

/// <summary>A piece of a text, from one byte to before another.</summary>
internal readonly record struct Segment(int Id, int Start, int End);

/// <summary>Cuts normalized text into pieces. Safe for several threads.</summary>
internal interface ISegmenter
{
    /// <param name="text">Normalized, UTF-8.</param>
    /// <returns>Pieces that cover the text without a gap. Characters that are in no piece have the unknown piece's id.</returns>
    List<Segment> Segment(ReadOnlySpan<byte> text);
}
