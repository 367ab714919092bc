namespace Compress.Core.Models.Formats.Llama2C;

/// <summary>The seven numbers of a llama2.c header, and whether the head is a matrix of its own.</summary>
internal sealed record LlamaShape(long Width, long Hidden, long Layers, long Heads, long KeyHeads, long Vocabulary, long Positions, bool HasHead)
{
    /// <summary>Rows of q, k and v for a head.</summary>
    public long HeadSize => Width / Heads;

    /// <exception cref="ModelFormatException">No model has these.</exception>
    public static LlamaShape Read(HeaderReader reader)
    {
        const string What = "the header of a llama2.c file";
        var shape = new LlamaShape(
            reader.Int32(What), reader.Int32(What), reader.Int32(What), reader.Int32(What), reader.Int32(What), reader.Int32(What), reader.Int32(What), HasHead: false);
        bool sound = shape is { Width: > 0, Hidden: > 0, Layers: > 0, Heads: > 0, KeyHeads: > 0, Positions: > 0, Vocabulary: not 0 }
            && shape.Width % (2 * shape.Heads) == 0 && shape.Heads % shape.KeyHeads == 0;
        return sound ? shape : throw reader.Bad(
            $"its header says {shape}, which no Llama model has; files of llama2.c begin with these numbers, and files of torch.save with 504B0304 or 80028A0A6CFC9C46: is it either?");
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"width {Width}, hidden width {Hidden}, {Layers} layers, {Heads} heads, {KeyHeads} key/value heads, vocabulary {Vocabulary}, {Positions} positions";
}
