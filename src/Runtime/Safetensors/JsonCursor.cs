using System;
using System.Text.Json;

namespace Compress.Runtime.Safetensors;

/// <summary>A Utf8JsonReader that can be moved over members of an object which something else has read.</summary>
internal ref struct JsonCursor
{
    // A file whose writer puts spaces between tokens has no member to scan: no need to try all.
    private const int MaxVainScans = 8;

    // The state of a reader behind a member of the outermost object, and of an object in that.
    private static readonly JsonReaderState[] BehindMember = [Behind("{\"\":\"\""u8), Behind("{\"\":{\"\":\"\""u8)];

    /// <summary>Reads the tokens.</summary>
    public Utf8JsonReader Reader;

    private readonly ReadOnlySpan<byte> json;
    private int start; // the reader's first byte
    private int vainScans;

    /// <param name="json">The whole text.</param>
    /// <param name="scans">False to have the reader read all: slow, and with the same result.</param>
    public JsonCursor(ReadOnlySpan<byte> json, bool scans)
    {
        this.json = json;
        vainScans = scans ? 0 : MaxVainScans;
        Reader = new Utf8JsonReader(json);
    }

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => start + (int)Reader.BytesConsumed;

    /// <summary>Where the token begins.</summary>
    public readonly int TokenStart => start + (int)Reader.TokenStartIndex;

    /// <summary>True if the object that the cursor is in has just begun.</summary>
    public readonly bool IsAtFirst => Reader.TokenType == JsonTokenType.StartObject;

    /// <summary>What the token is, for a message.</summary>
    public readonly string Found => Reader.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a text",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a boolean",
        _ => "null",
    };

    /// <summary>Reads on; true if the token is another member's name.</summary>
    public bool NextName() => Reader.Read() && Reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>True if it is worth while to scan.</summary>
    public readonly bool MayScan => vainScans < MaxVainScans;

    /// <summary>Scans from where the reader is: at the beginning of an object, or behind a member's value.</summary>
    public readonly JsonScanner Scan() => new(json, Position, IsAtFirst);

    /// <summary>Moves the reader to where a scan has ended: behind a member of the object that the reader is in.</summary>
    public void MoveBehind(int position)
    {
        if (position == Position)
        {
            vainScans++;
            return;
        }

        vainScans = 0;
        int depth = Reader.CurrentDepth + (IsAtFirst ? 1 : 0); // The reader counts an object from its first member on.
        start = position;
        Reader = new Utf8JsonReader(json.Slice(position), isFinalBlock: true, BehindMember[depth - 1]);
    }

    private static JsonReaderState Behind(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, isFinalBlock: false, default);
        while (reader.Read())
        {
            // To the end.
        }

        return reader.CurrentState;
    }
}
