using System.Globalization;
using System.Text;
using Compress.Runtime.Safetensors;

namespace Compress.Core.LanguageModels.Tokenizers.SentencePiece;

/// <summary>The pieces of a model by id and by text. Pieces that text is cut into are kept apart from those that only have an id.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> reserved = new(StringComparer.Ordinal); // unknown, control, byte

    /// <exception cref="TokenizerException">A piece is there twice, there is not exactly one unknown piece, or bytes are missing.</exception>
    public Vocabulary(SentencePieceModel model)
    {
        Pieces = [.. model.Pieces];
        var cut = new HashSet<string>(StringComparer.Ordinal);
        int[] bytes = new int[256];
        Array.Fill(bytes, -1);
        UnknownId = -1;
        for (int id = 0; id < Pieces.Length; id++)
        {
            var (bytesOfText, _, type) = Pieces[id];
            string text = Encoding.UTF8.GetString(bytesOfText);
            bool isCut = IsCut(id);
            if (isCut ? !cut.Add(text) : !reserved.TryAdd(text, id))
            {
                throw new TokenizerException($"piece {id}, {Quote.Name(text)}, is there twice");
            }

            if (type == PieceType.Unknown)
            {
                UnknownId = UnknownId < 0 ? id : throw new TokenizerException($"pieces {UnknownId} and {id} are both the unknown piece");
            }
            else if (type == PieceType.Byte)
            {
                bytes[ByteOf(text) ?? throw new TokenizerException($"piece {id}, {Quote.Name(text)}, is no byte such as '<0x0A>'")] = id;
            }
        }

        if (UnknownId < 0)
        {
            throw new TokenizerException("no piece is the unknown piece");
        }

        if (model.ByteFallback)
        {
            int missing = Array.IndexOf(bytes, -1);
            ByteIds = missing < 0 ? bytes : throw new TokenizerException($"the model falls back on bytes, but has no piece '<0x{missing:X2}>'");
        }
    }

    public Piece[] Pieces { get; }

    public int UnknownId { get; }

    /// <summary>The ids of the 256 bytes, if unknown characters are written as bytes.</summary>
    public int[]? ByteIds { get; }

    /// <summary>True for pieces that text is cut into.</summary>
    public bool IsCut(int id) => Pieces[id].Type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused;

    public bool IsControl(int id) => Pieces[id].Type == PieceType.Control;

    /// <summary>A control piece's id.</summary>
    public int? Control(string text) => reserved.TryGetValue(text, out int id) && IsControl(id) ? id : null;

    /// <summary>The value of a byte piece.</summary>
    public static int? ByteOf(string text) =>
        text.Length == 6 && text.StartsWith("<0x", StringComparison.Ordinal) && text[5] == '>'
        && byte.TryParse(text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value) ? value : null;
}
