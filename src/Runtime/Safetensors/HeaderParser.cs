using System;
using System.Collections.Generic;
using System.Text.Json;

namespace Compress.Runtime.Safetensors;

/// <summary>
/// Parses the JSON of a header, strictly, token by token, so that nothing is held but the result:
/// <code>{"__metadata__":{"format":"pt"},"fc.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}</code>
/// Runs of members in the form that writers produce are scanned; Utf8JsonReader reads all others, and has the last word on what is wrong.
/// </summary>
internal sealed class HeaderParser
{
    // The format has no such limit. It bounds the memory that a hostile header can ask for.
    private const int MaxMetadataEntries = 1_000_000;

    // What a tensor takes of a usual header, roughly: spares the list most of its growth.
    private const int UsualBytes = 150;

    private readonly EntryReader reader;
    private readonly EntryScanner scanner;
    private bool hasMetadata;

    /// <param name="bounds">Where the header's data are.</param>
    public HeaderParser(EntryBounds bounds)
    {
        reader = new EntryReader(bounds);
        scanner = new EntryScanner(bounds);
        Entries = new((int)(bounds.DataOffset / UsualBytes));
    }

    /// <summary>The name of the member that is no tensor.</summary>
    public static ReadOnlySpan<byte> MetadataName => "__metadata__"u8;

    /// <summary>The tensors in the header's order.</summary>
    public List<TensorEntry> Entries { get; }

    /// <summary>The <c>__metadata__</c> entries.</summary>
    public HeaderMetadata Metadata { get; } = new();

    /// <summary>Reads it all.</summary>
    /// <param name="json">The header.</param>
    /// <param name="scans">False to have Utf8JsonReader read all: slow, and with the same result.</param>
    /// <exception cref="SafetensorsException">It is not a well-formed header.</exception>
    public void Parse(ReadOnlySpan<byte> json, bool scans = true)
    {
        var cursor = new JsonCursor(json, scans);
        try
        {
            ParseObject(ref cursor);
        }
        catch (JsonException exception)
        {
            throw new SafetensorsException(
                $"its header is not JSON: {Reason(exception)} (near byte {cursor.Position} of {json.Length})", exception);
        }
        catch (InvalidOperationException exception)
        {
            // Thrown when a text is taken that is not valid UTF-8 or has half a surrogate pair.
            throw new SafetensorsException(
                $"its header has a text that is not valid Unicode (near byte {cursor.Position} of {json.Length})", exception);
        }
    }

    private static string Reason(JsonException exception)
    {
        int position = exception.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return position < 0 ? exception.Message : exception.Message.Substring(0, position);
    }

    private void ParseObject(ref JsonCursor cursor)
    {
        cursor.Reader.Read();
        ScanTensors(ref cursor);
        while (cursor.NextName())
        {
            bool isMetadata = cursor.Reader.ValueTextEquals(MetadataName);
            string name = cursor.Reader.GetString()!;
            cursor.Reader.Read();
            if (isMetadata)
            {
                ParseMetadata(ref cursor);
            }
            else
            {
                Entries.Add(reader.Read(ref cursor, name));
            }

            ScanTensors(ref cursor);
        }

        cursor.Reader.Read(); // Only space may follow; anything else throws.
    }

    private void ScanTensors(ref JsonCursor cursor)
    {
        if (!cursor.MayScan)
        {
            return;
        }

        var json = cursor.Scan();
        while (json.NextMember() && scanner.TryScan(ref json) is { } entry)
        {
            Entries.Add(entry);
        }

        cursor.MoveBehind(json.MembersEnd);
    }

    private void ParseMetadata(ref JsonCursor cursor)
    {
        if (hasMetadata)
        {
            throw new SafetensorsException("'__metadata__' stands twice in its header");
        }

        if (cursor.Reader.TokenType != JsonTokenType.StartObject)
        {
            throw new SafetensorsException($"'__metadata__' is {cursor.Found}, expected an object of texts");
        }

        hasMetadata = true;
        ScanTexts(ref cursor);
        while (cursor.NextName())
        {
            string key = cursor.Reader.GetString()!;
            cursor.Reader.Read();
            if (cursor.Reader.TokenType != JsonTokenType.String)
            {
                throw new SafetensorsException($"'__metadata__' has {cursor.Found} as {Quote.Name(key)}, expected a text");
            }

            Add(key, Text(ref cursor.Reader));
            ScanTexts(ref cursor);
        }
    }

    private void ScanTexts(ref JsonCursor cursor)
    {
        if (!cursor.MayScan)
        {
            return;
        }

        var json = cursor.Scan();
        while (json.NextMember() && json.TryText(out var key) && json.Take(":"u8) && json.TryEscapedText(out byte[] value))
        {
            Add(JsonScanner.Ascii(key), value);
        }

        cursor.MoveBehind(json.MembersEnd);
    }

    private void Add(string key, byte[] value)
    {
        if (Metadata.Count == MaxMetadataEntries)
        {
            throw new SafetensorsException($"'__metadata__' has more than {MaxMetadataEntries} entries");
        }

        if (!Metadata.TryAdd(key, value))
        {
            throw new SafetensorsException($"the key {Quote.Name(key)} stands twice in '__metadata__'");
        }
    }

    private static byte[] Text(ref Utf8JsonReader reader)
    {
        byte[] text = new byte[reader.ValueSpan.Length];
        int length = reader.CopyString(text);
        return length == text.Length ? text : text.AsSpan(0, length).ToArray();
    }
}
