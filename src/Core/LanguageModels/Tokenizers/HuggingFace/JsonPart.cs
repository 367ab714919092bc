using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Compress.Runtime.Safetensors;

namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>A value of a JSON file and its place there, such as <c>model.merges[3]</c>: what is wrong with it is said with the place.</summary>
internal readonly record struct JsonPart(JsonElement Value, string Path)
{
    public bool IsNull => Value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    public bool IsObject => Value.ValueKind == JsonValueKind.Object;

    public bool IsList => Value.ValueKind == JsonValueKind.Array;

    /// <summary>The value of a key, which may be missing: null then.</summary>
    public JsonPart this[string key] => !IsObject ? throw Wrong("an object")
        : Value.TryGetProperty(key, out var value) ? new(value, Under(key)) : new(default, Under(key));

    /// <summary>True if the key is there, with whatever value.</summary>
    public bool Has(string key) => IsObject ? Value.TryGetProperty(key, out _) : throw Wrong("an object");

    /// <summary>What kind of thing an object with a key <c>type</c> is.</summary>
    public string Type => this["type"].Text();

    /// <summary>The file's whole content.</summary>
    public static JsonDocument Parse(ReadOnlyMemory<byte> file)
    {
        try
        {
            return JsonDocument.Parse(file.Span.StartsWith("\uFEFF"u8) ? file[3..] : file);
        }
        catch (JsonException exception)
        {
            int line = (int)Math.Min(exception.LineNumber ?? 0, int.MaxValue - 1) + 1;
            int column = (int)Math.Min(exception.BytePositionInLine ?? 0, int.MaxValue - 1) + 1;
            throw new TokenizerException($"the file is not well-formed JSON: {exception.Message.Split(" LineNumber:")[0]}", line: line, column: column);
        }
    }

    public string Text()
    {
        try
        {
            return Value.ValueKind == JsonValueKind.String ? Value.GetString()! : throw Wrong("a text");
        }
        catch (InvalidOperationException)
        {
            throw Wrong("a text of valid Unicode");
        }
    }

    public string? TextOrNull() => IsNull ? null : Text();

    public bool Bool(bool ifMissing) => Value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => IsNull ? ifMissing : throw Wrong("true or false"),
    };

    public int Int() => Value.ValueKind == JsonValueKind.Number && Value.TryGetInt32(out int number) ? number : throw Wrong("a whole number below 2,147,483,648");

    /// <summary>A token's id.</summary>
    public int Id() => Int() is >= 0 and < int.MaxValue and var id ? id : throw Wrong("a token id");

    public IEnumerable<JsonPart> Items()
    {
        string path = Path;
        return IsList ? Value.EnumerateArray().Select((item, i) => new JsonPart(item, $"{path}[{i}]")) : throw Wrong("a list");
    }

    public IEnumerable<(string Name, JsonPart Value)> Properties()
    {
        if (!IsObject)
        {
            throw Wrong("an object");
        }

        foreach (var property in Value.EnumerateObject())
        {
            string name;
            try
            {
                name = property.Name;
            }
            catch (InvalidOperationException)
            {
                throw Wrong("an object whose keys are valid Unicode");
            }

            yield return (name, new(property.Value, Under(name)));
        }
    }

    /// <summary>Refuses keys that are not known, unless their value means that there is nothing to do.</summary>
    /// <returns>This.</returns>
    public JsonPart Only(params ReadOnlySpan<string> known)
    {
        foreach (var (name, value) in Properties())
        {
            bool nothing = value.IsNull || value.Value.ValueKind == JsonValueKind.False || (value.Value.ValueKind == JsonValueKind.String && value.Text().Length == 0);
            if (name != "type" && !nothing && !known.Contains(name))
            {
                throw Unsupported($"{value.Path} is set, which is not known here; known are {string.Join(", ", known.ToArray())}");
            }
        }

        return this;
    }

    /// <summary>The file asks for something that is not known.</summary>
    public static TokenizerException Unsupported(string message) => new(message, unsupported: true);

    /// <summary>This has a type that is not known.</summary>
    public TokenizerException UnknownType(params ReadOnlySpan<string> known) =>
        Unsupported($"{Path} is of type {Quote.Name(Type)}, which is not known here; known are {string.Join(", ", known.ToArray())}");

    /// <summary>This is something else than expected.</summary>
    public TokenizerException Wrong(string expected)
    {
        string text = IsNull ? "nothing" : Value.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            _ => Quote.Name(Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(Value))),
        };
        return new($"{(Path.Length == 0 ? "the file" : Path)}: found {text}, expected {expected}");
    }

    private string Under(string key)
    {
        string name = key.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') && key.Length is > 0 and < 50 ? key : Quote.Name(key);
        return Path.Length == 0 ? name : $"{Path}.{name}";
    }
}
