using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats;

/// <summary>
/// The index of a sharded model: which file holds which tensor.
/// <code>{"metadata":{"total_size":9},"weight_map":{"fc.weight":"model-00001-of-00002.safetensors"}}</code>
/// </summary>
internal static class ShardIndex
{
    // As the format limits headers: no index comes near, and a wrong file is refused before it is read.
    private const int MaxBytes = SafetensorsHeader.MaxHeaderBytes;

    /// <summary>The file of each tensor: paths relative to the index, with forward slashes, that do not leave its folder.</summary>
    /// <exception cref="ModelFormatException">The index is malformed.</exception>
    public static Dictionary<string, string> Read(string path)
    {
        byte[] json = ReadBytes(path);
        bool hasMark = json.Length >= 3 && json[0] == 0xEF && json[1] == 0xBB && json[2] == 0xBF;
        var reader = new Utf8JsonReader(json.AsSpan(hasMark ? 3 : 0));
        try
        {
            return Parse(path, ref reader);
        }
        catch (JsonException exception)
        {
            throw new ModelFormatException(path, $"it is not JSON (near byte {reader.BytesConsumed} of {json.Length})", exception);
        }
        catch (InvalidOperationException exception)
        {
            // Thrown when a text is taken that is not valid UTF-8 or has half a surrogate pair.
            throw new ModelFormatException(path, $"it has a text that is not valid Unicode (near byte {reader.BytesConsumed} of {json.Length})", exception);
        }
    }

    private static byte[] ReadBytes(string path)
    {
        using var stream = Safetensors.ShardReader.OpenShared(path);
        long length = stream.Length;
        return length <= MaxBytes
            ? Safetensors.ShardReader.ReadExactly(stream, 0, (int)length)
            : throw new ModelFormatException(path, $"it has {length} bytes; an index of shards has at most {MaxBytes}");
    }

    private static Dictionary<string, string> Parse(string path, ref Utf8JsonReader reader)
    {
        Dictionary<string, string>? map = null;
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new ModelFormatException(path, "it is no JSON object; an index of shards is one, with a 'weight_map'");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!reader.ValueTextEquals("weight_map"u8))
            {
                reader.Skip();
            }
            else
            {
                map = map is null ? ParseMap(path, ref reader) : throw new ModelFormatException(path, "'weight_map' stands twice in it");
            }
        }

        reader.Read(); // Only space may follow; anything else throws.
        return map ?? throw new ModelFormatException(path, "it has no 'weight_map', which says which file holds which tensor");
    }

    private static Dictionary<string, string> ParseMap(string path, ref Utf8JsonReader reader)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        var files = new Dictionary<string, string>(StringComparer.Ordinal); // one string for each file, not for each tensor
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new ModelFormatException(path, "its 'weight_map' is no object");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            string file = reader.TokenType == JsonTokenType.String
                ? reader.GetString()!
                : throw new ModelFormatException(path, $"its 'weight_map' has no file name for tensor {Quote.Name(name)}");
            if (map.ContainsKey(name))
            {
                throw new ModelFormatException(path, $"tensor {Quote.Name(name)} stands twice in its 'weight_map'");
            }

            if (!files.TryGetValue(file, out string? same))
            {
                CheckStaysInside(path, file);
                files.Add(file, same = file);
            }

            map.Add(name, same);
        }

        return map;
    }

    private static void CheckStaysInside(string path, string file)
    {
        bool inside = file.IndexOfAny(['\\', ':', '\0']) < 0 && file.Length <= 1024;
        foreach (string part in file.Split('/'))
        {
            inside &= part is not ("" or "." or "..");
        }

        if (!inside)
        {
            throw new ModelFormatException(
                path, $"its 'weight_map' names the file {Quote.Name(file)}; expected a path with forward slashes that stays inside the index's folder");
        }
    }
}
