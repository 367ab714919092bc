using System;
using System.Collections.Generic;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.Gguf;

/// <summary>The keys and values at the start of a GGUF file: numbers and short texts are kept, lists such as vocabularies passed over.</summary>
internal sealed class GgufMetadata
{
    private const uint TypeOfText = 8, TypeOfList = 9;
    private const int MaxKeys = 1 << 16;
    private const int MaxDepth = 4;

    // Bytes by type: u8, i8, u16, i16, u32, i32, f32, bool, text, list, u64, i64, f64.
    private static readonly int[] Sizes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

    private readonly Dictionary<string, object?> values = new(StringComparer.Ordinal);

    /// <summary>The architecture's name, such as <c>llama</c>.</summary>
    public string Architecture => Text("general.architecture") ?? "";

    /// <summary>What offsets of tensors are multiples of.</summary>
    public long Alignment { get; private set; } = 32;

    /// <summary>The value of a key that is an integer, or null.</summary>
    public long? Number(string key) => values.TryGetValue(key, out object? value) ? value as long? : null;

    /// <summary>The value of a key that is a text, or null.</summary>
    public string? Text(string key) => values.TryGetValue(key, out object? value) ? value as string : null;

    /// <exception cref="ModelFormatException">It is malformed.</exception>
    public static GgufMetadata Read(HeaderReader reader)
    {
        var metadata = new GgufMetadata();
        long count = reader.Count("the number of keys");
        if (count > MaxKeys)
        {
            throw reader.Bad($"it says that it has {count} keys; {MaxKeys} are allowed");
        }

        for (long i = 0; i < count; i++)
        {
            string key = reader.Text(reader.Count("a key"), "a key");
            object? value = Value(reader, reader.UInt32($"key {Quote.Name(key)}"), $"key {Quote.Name(key)}", 0);
            if (metadata.values.ContainsKey(key))
            {
                throw reader.Bad($"key {Quote.Name(key)} stands twice in it");
            }

            metadata.values.Add(key, value);
        }

        metadata.Alignment = metadata.Number("general.alignment") ?? metadata.Alignment;
        if (metadata.Alignment is < 1 or > 1 << 20)
        {
            throw reader.Bad($"it says an alignment of {metadata.Alignment} bytes");
        }

        return metadata.Number("split.count") is null or 0 or 1
            ? metadata
            : throw reader.Bad($"it is one of {metadata.Number("split.count")} parts of a model; merge them with llama-gguf-split");
    }

    private static object? Value(HeaderReader reader, uint type, string what, int depth)
    {
        switch (type)
        {
            case TypeOfText:
                long length = reader.Count(what);
                if (length <= HeaderReader.MaxNameBytes && depth == 0)
                {
                    return reader.Text(length, what);
                }

                reader.Skip(length, what);
                return null;
            case TypeOfList:
                uint inner = reader.UInt32(what);
                long count = reader.Count(what);
                SkipList(reader, inner, count, what, depth + 1);
                return null;
            default:
                if (type >= Sizes.Length)
                {
                    throw reader.Bad($"{what} has a value of type {type}, which GGUF does not have");
                }

                var bytes = reader.Take(Sizes[type], what);
                return type is 6 or 12 ? null : Integer(bytes, signed: type is 1 or 3 or 5 or 11);
        }
    }

    private static void SkipList(HeaderReader reader, uint type, long count, string what, int depth)
    {
        if (depth > MaxDepth || type >= Sizes.Length)
        {
            throw reader.Bad($"{what} has lists more than {MaxDepth} deep in each other, or of type {type}, which GGUF does not have");
        }

        if (Sizes[type] > 0)
        {
            reader.Skip(count > long.MaxValue / 8 ? long.MaxValue : count * Sizes[type], what);
            return;
        }

        for (long i = 0; i < count; i++)
        {
            Value(reader, type, what, depth);
        }
    }

    private static long Integer(ReadOnlySpan<byte> bytes, bool signed)
    {
        long value = signed && bytes[bytes.Length - 1] > 0x7F ? -1 : 0;
        for (int i = bytes.Length - 1; i >= 0; i--)
        {
            value = (value << 8) | bytes[i];
        }

        return value;
    }
}
