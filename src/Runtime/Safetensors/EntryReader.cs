using System;
using System.Text.Json;

namespace Compress.Runtime.Safetensors;

/// <summary>Reads the entry of one tensor, whatever it is, token by token.</summary>
internal sealed class EntryReader(EntryBounds bounds)
{
    private readonly long[] dimensions = new long[EntryBounds.MaxDimensions];
    private DType lastType;

    /// <summary>Reads the value of the member of that name.</summary>
    /// <exception cref="SafetensorsException">It is no tensor's.</exception>
    public TensorEntry Read(ref JsonCursor cursor, string name)
    {
        if (cursor.Reader.TokenType != JsonTokenType.StartObject)
        {
            throw EntryBounds.Bad(name, $"is {cursor.Found}, expected an object");
        }

        DType? type = null;
        long[]? shape = null;
        long begin = 0;
        long? end = null;
        while (cursor.NextName())
        {
            if (cursor.Reader.ValueTextEquals("dtype"u8) && type is null)
            {
                type = ParseType(ref cursor, name);
            }
            else if (cursor.Reader.ValueTextEquals("shape"u8) && shape is null)
            {
                int count = ParseNumbers(ref cursor, name, "shape", EntryBounds.MaxDimensions);
                shape = dimensions.AsSpan(0, count).ToArray();
            }
            else if (cursor.Reader.ValueTextEquals("data_offsets"u8) && end is null)
            {
                int count = ParseNumbers(ref cursor, name, "data_offsets", 2);
                (begin, end) = count == 2 ? (dimensions[0], dimensions[1]) : throw EntryBounds.Bad(name, $"has {count} data_offsets, expected 2");
            }
            else
            {
                string key = cursor.Reader.GetString()!;
                throw EntryBounds.Bad(name, key is "dtype" or "shape" or "data_offsets"
                    ? $"has '{key}' twice"
                    : $"has the key {Quote.Name(key)}, which the format does not know (dtype, shape, data_offsets)");
            }
        }

        return bounds.Check(
            name,
            type ?? throw EntryBounds.Bad(name, "has no dtype"),
            shape ?? throw EntryBounds.Bad(name, "has no shape"),
            begin,
            end ?? throw EntryBounds.Bad(name, "has no data_offsets"));
    }

    private DType ParseType(ref JsonCursor cursor, string name)
    {
        cursor.Reader.Read();
        if (cursor.Reader.TokenType != JsonTokenType.String)
        {
            throw EntryBounds.Bad(name, $"has {cursor.Found} as dtype, expected a text");
        }

        // Most tensors have the type of the one before.
        if (cursor.Reader.ValueTextEquals(lastType.Name()))
        {
            return lastType;
        }

        string text = cursor.Reader.GetString()!;
        return DTypes.TryParse(text, out lastType)
            ? lastType
            : throw EntryBounds.Bad(name, $"has the dtype {Quote.Name(text)}, which is not known ({DTypes.AllNames})");
    }

    /// <summary>Reads an array of numbers into <see cref="dimensions"/>; returns how many there are.</summary>
    private int ParseNumbers(ref JsonCursor cursor, string name, string key, int most)
    {
        cursor.Reader.Read();
        if (cursor.Reader.TokenType != JsonTokenType.StartArray)
        {
            throw EntryBounds.Bad(name, $"has {cursor.Found} as {key}, expected an array of whole numbers");
        }

        int count = 0;
        while (cursor.Reader.Read() && cursor.Reader.TokenType != JsonTokenType.EndArray)
        {
            if (cursor.Reader.TokenType != JsonTokenType.Number || !cursor.Reader.TryGetInt64(out long number))
            {
                string found = cursor.Reader.TokenType == JsonTokenType.Number ? Quote.Number(cursor.Reader.ValueSpan) : cursor.Found;
                throw EntryBounds.Bad(name, $"has {found} in its {key}, expected whole numbers from 0 to {long.MaxValue}");
            }

            if (number < 0)
            {
                throw EntryBounds.Bad(name, $"has {number} in its {key}, expected no negative number");
            }

            if (count == most)
            {
                throw EntryBounds.Bad(name, $"has more than {most} numbers in its {key}");
            }

            dimensions[count++] = number;
        }

        return count;
    }
}
