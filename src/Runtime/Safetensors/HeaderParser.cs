using System;
using System.Collections.Generic;
using System.Text.Json;

namespace Compress.Runtime.Safetensors;

/// <summary>
/// Parses the JSON of a header, strictly, token by token, so that nothing is held but the result:
/// <code>{"__metadata__":{"format":"pt"},"fc.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}</code>
/// </summary>
internal sealed class HeaderParser
{
    // The format has no such limits. They bound the memory that a hostile header of 100 MB can ask for; no real model comes near.
    private const int MaxDimensions = 64;
    private const int MaxMetadataEntries = 1_000_000;

    // What a tensor takes of a usual header, roughly: spares the collections most of their growth.
    private const int UsualBytes = 150;

    private const string MetadataName = "__metadata__";

    private readonly long dataOffset;
    private readonly long fileLength;
    private readonly long[] dimensions = new long[MaxDimensions];
    private bool hasMetadata;
    private DType lastType;

    /// <param name="dataOffset">Bytes of the file before its data.</param>
    /// <param name="fileLength">Bytes of the file.</param>
    public HeaderParser(long dataOffset, long fileLength)
    {
        this.dataOffset = dataOffset;
        this.fileLength = fileLength;
        int usualCount = (int)(dataOffset / UsualBytes);
        Entries = new(usualCount);
        ByName = new(usualCount, StringComparer.Ordinal);
    }

    /// <summary>The tensors in the header's order.</summary>
    public List<TensorEntry> Entries { get; }

    /// <summary>The tensors by name.</summary>
    public Dictionary<string, TensorEntry> ByName { get; }

    /// <summary>The <c>__metadata__</c> entries.</summary>
    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads it all.</summary>
    /// <exception cref="SafetensorsException">It is not a well-formed header.</exception>
    public void Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            ParseObject(ref reader);
        }
        catch (JsonException exception)
        {
            throw new SafetensorsException(
                $"its header is not JSON: {Reason(exception)} (near byte {reader.BytesConsumed} of {json.Length})", exception);
        }
        catch (InvalidOperationException exception)
        {
            // Thrown when a text is taken that is not valid UTF-8 or has half a surrogate pair.
            throw new SafetensorsException(
                $"its header has a text that is not valid Unicode (near byte {reader.BytesConsumed} of {json.Length})", exception);
        }
    }

    private static string Reason(JsonException exception)
    {
        int position = exception.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return position < 0 ? exception.Message : exception.Message.Substring(0, position);
    }

    private static string Found(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a text",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a boolean",
        _ => "null",
    };

    private void ParseObject(ref Utf8JsonReader reader)
    {
        reader.Read();
        while (NextProperty(ref reader))
        {
            string name = reader.GetString()!;
            reader.Read();
            if (name == MetadataName)
            {
                ParseMetadata(ref reader);
            }
            else if (ByName.ContainsKey(name))
            {
                throw new SafetensorsException($"the name {Quote.Name(name)} stands twice in its header");
            }
            else
            {
                var entry = ParseTensor(ref reader, name);
                ByName.Add(name, entry);
                Entries.Add(entry);
            }
        }

        reader.Read(); // Only space may follow; anything else throws.
    }

    private static bool NextProperty(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    private void ParseMetadata(ref Utf8JsonReader reader)
    {
        if (hasMetadata)
        {
            throw new SafetensorsException($"'{MetadataName}' stands twice in its header");
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new SafetensorsException($"'{MetadataName}' is {Found(ref reader)}, expected an object of texts");
        }

        hasMetadata = true;
        while (NextProperty(ref reader))
        {
            string key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                throw new SafetensorsException($"'{MetadataName}' has {Found(ref reader)} as {Quote.Name(key)}, expected a text");
            }

            if (Metadata.ContainsKey(key))
            {
                throw new SafetensorsException($"the key {Quote.Name(key)} stands twice in '{MetadataName}'");
            }

            if (Metadata.Count == MaxMetadataEntries)
            {
                throw new SafetensorsException($"'{MetadataName}' has more than {MaxMetadataEntries} entries");
            }

            Metadata.Add(key, reader.GetString()!);
        }
    }

    private TensorEntry ParseTensor(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Bad(name, $"is {Found(ref reader)}, expected an object");
        }

        DType? type = null;
        long[]? shape = null;
        (long Begin, long End)? offsets = null;
        while (NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("dtype"u8) && type is null)
            {
                type = ParseType(ref reader, name);
            }
            else if (reader.ValueTextEquals("shape"u8) && shape is null)
            {
                int count = ParseNumbers(ref reader, name, "shape", MaxDimensions);
                shape = dimensions.AsSpan(0, count).ToArray();
            }
            else if (reader.ValueTextEquals("data_offsets"u8) && offsets is null)
            {
                int count = ParseNumbers(ref reader, name, "data_offsets", 2);
                offsets = count == 2 ? (dimensions[0], dimensions[1]) : throw Bad(name, $"has {count} data_offsets, expected 2");
            }
            else
            {
                string key = reader.GetString()!;
                throw Bad(name, key is "dtype" or "shape" or "data_offsets"
                    ? $"has '{key}' twice"
                    : $"has the key {Quote.Name(key)}, which the format does not know (dtype, shape, data_offsets)");
            }
        }

        return Entry(
            name,
            type ?? throw Bad(name, "has no dtype"),
            shape ?? throw Bad(name, "has no shape"),
            offsets ?? throw Bad(name, "has no data_offsets"));
    }

    private DType ParseType(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.String)
        {
            throw Bad(name, $"has {Found(ref reader)} as dtype, expected a text");
        }

        // Most tensors have the type of the one before.
        if (reader.ValueTextEquals(lastType.Name()))
        {
            return lastType;
        }

        string text = reader.GetString()!;
        return DTypes.TryParse(text, out lastType)
            ? lastType
            : throw Bad(name, $"has the dtype {Quote.Name(text)}, which is not known ({DTypes.AllNames})");
    }

    /// <summary>Reads an array of numbers into <see cref="dimensions"/>; returns how many there are.</summary>
    private int ParseNumbers(ref Utf8JsonReader reader, string name, string key, int most)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw Bad(name, $"has {Found(ref reader)} as {key}, expected an array of whole numbers");
        }

        int count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number))
            {
                string found = reader.TokenType == JsonTokenType.Number ? Quote.Number(reader.ValueSpan) : Found(ref reader);
                throw Bad(name, $"has {found} in its {key}, expected whole numbers from 0 to {long.MaxValue}");
            }

            if (number < 0)
            {
                throw Bad(name, $"has {number} in its {key}, expected no negative number");
            }

            if (count == most)
            {
                throw Bad(name, $"has more than {most} numbers in its {key}");
            }

            dimensions[count++] = number;
        }

        return count;
    }

    private TensorEntry Entry(string name, DType type, long[] shape, (long Begin, long End) offsets)
    {
        long bytes = type.SizeInBytes();
        foreach (long dimension in shape)
        {
            if (dimension != 0 && bytes > long.MaxValue / dimension)
            {
                throw Bad(name, $"has the shape {Quote.Shape(shape)}, whose product is too large");
            }

            bytes *= dimension;
        }

        var (begin, end) = offsets;
        long dataLength = fileLength - dataOffset;
        if (begin > end)
        {
            throw Bad(name, $"has the data_offsets [{begin}, {end}], which end before they begin");
        }

        if (end - begin != bytes)
        {
            throw Bad(name, $"has {end - begin} bytes (data_offsets [{begin}, {end}]), expected {bytes} for {type.Name()} {Quote.Shape(shape)}");
        }

        if (end > dataLength)
        {
            throw Bad(name, $"ends at byte {end} of the data, but the file has {dataLength} bytes of data: truncated?");
        }

        return new TensorEntry(name, type, shape, dataOffset + begin, bytes);
    }

    private static SafetensorsException Bad(string name, string what) => new($"tensor {Quote.Name(name)} {what}");
}
