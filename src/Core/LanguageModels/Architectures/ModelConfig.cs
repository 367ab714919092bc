using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels.Blocks;
using Compress.Runtime.Safetensors;

namespace Compress.Core.LanguageModels.Architectures;

/// <summary>
/// A model's <c>config.json</c>, as Hugging Face writes it, or one of its objects. What is read must be there and make sense; what is
/// <c>null</c> counts as absent; keys that nobody asks for are none of our business.
/// <code>{ "architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_hidden_layers": 5, "rope_scaling": null, … }</code>
/// </summary>
internal sealed class ModelConfig
{
    /// <summary>The largest dimension, count or number of positions that is believed.</summary>
    private const int MaxInteger = 1 << 30;

    private const int MaxBytes = 1 << 20; // Real ones have about 1 KiB.

    private readonly byte[] json;
    private readonly string prefix;
    private readonly Dictionary<string, (JsonElement Value, long Offset)> values = new(StringComparer.Ordinal);

    private ModelConfig(string file, byte[] json, string prefix, ref Utf8JsonReader reader)
    {
        File = file;
        this.json = json;
        this.prefix = prefix;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            long offset = reader.TokenStartIndex;
            values[name] = (JsonElement.ParseValue(ref reader), offset);
        }
    }

    /// <summary>The absolute path.</summary>
    public string File { get; }

    /// <summary>Reads the file.</summary>
    /// <exception cref="CompressException">It cannot be read, or is not a JSON object.</exception>
    public static ModelConfig Read(string file)
    {
        byte[] json;
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            byte[] buffer = new byte[MaxBytes + 1];
            json = buffer[..stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)];
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CompressException(
                Codes.LanguageModelConfig, "there is no config.json beside the model; it says what kind of language model this is", file, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CompressException(Codes.LanguageModelConfig, $"the model's configuration cannot be read: {exception.Message}", file, exception);
        }

        if (json.Length > MaxBytes)
        {
            throw new CompressException(Codes.LanguageModelConfig, "the file is longer than 1 MiB; is it the model's configuration?", file);
        }

        json = json is [0xEF, 0xBB, 0xBF, .. var rest] ? rest : json;
        if (!Utf8.IsValid(json))
        {
            throw new CompressException(Codes.LanguageModelConfig, "the model's configuration is not UTF-8", file);
        }

        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new CompressException(Codes.LanguageModelConfig, "the model's configuration is not a JSON object", file);
            }

            var config = new ModelConfig(file, json, "", ref reader);
            reader.Read(); // Only space may follow.
            return config;
        }
        catch (JsonException exception)
        {
            throw new CompressException(
                new Diagnostic(
                    Codes.LanguageModelConfig,
                    Severity.Error,
                    "the model's configuration is not valid JSON here",
                    file,
                    (int)(exception.LineNumber ?? 0) + 1,
                    (int)(exception.BytePositionInLine ?? 0) + 1),
                exception);
        }
    }

    /// <summary>True if the key has a value other than null.</summary>
    public bool Has(string key) => values.TryGetValue(key, out var found) && found.Value.ValueKind != JsonValueKind.Null;

    /// <summary>A whole number from <paramref name="min"/>.</summary>
    public int Int(string key, int min = 1) => Int(key, Required(key), min);

    /// <summary>A whole number from <paramref name="min"/>, or the default if there is none.</summary>
    public int IntOr(string key, int absent, int min = 1) => Has(key) ? Int(key, values[key].Value, min) : absent;

    /// <summary>A positive number.</summary>
    public float Float(string key) => Float(key, Required(key));

    /// <summary>A positive number, or the default if there is none.</summary>
    public float FloatOr(string key, float absent) => Has(key) ? Float(key, values[key].Value) : absent;

    /// <summary>A boolean, or the default if there is none.</summary>
    public bool BoolOr(string key, bool absent) => !Has(key) ? absent : values[key].Value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(key, "true or false"),
    };

    /// <summary>A text, or the default if there is none.</summary>
    public string TextOr(string key, string absent) => !Has(key) ? absent
        : values[key].Value.ValueKind == JsonValueKind.String ? values[key].Value.GetString()!
        : throw Wrong(key, "a text");

    /// <summary>The texts of a list; empty if there is none.</summary>
    public IReadOnlyList<string> Texts(string key)
    {
        if (!Has(key))
        {
            return [];
        }

        var list = values[key].Value;
        return list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? [.. list.EnumerateArray().Select(item => item.GetString()!)]
            : throw Wrong(key, "a list of texts");
    }

    /// <summary>An object within, or null if there is none.</summary>
    public ModelConfig? Object(string key)
    {
        if (!Has(key))
        {
            return null;
        }

        if (values[key].Value.ValueKind != JsonValueKind.Object)
        {
            throw Wrong(key, "an object");
        }

        var reader = new Utf8JsonReader(json.AsSpan((int)(Base + values[key].Offset)));
        reader.Read();
        return new ModelConfig(File, json, $"{prefix}{key}.", ref reader) { Base = Base + values[key].Offset };
    }

    /// <summary>A number of heads that divides the width.</summary>
    public int HeadsOf(int width, string key, string widthKey) =>
        Int(key) is var heads && width % heads == 0 ? heads : throw Wrong(key, $"a divisor of the {width} of '{widthKey}'");

    /// <summary>What to throw if the key's value is none of those that are expected.</summary>
    public CompressException Wrong(string key, string expected)
    {
        var (value, offset) = values[key];
        string found = value.GetRawText();
        found = found.Length <= 40 ? found : found[..40] + "…";
        return At(offset, $"'{prefix}{key}': found {found}, expected {expected}");
    }

    /// <summary>What to throw for a key, which need not be there.</summary>
    public CompressException Error(string code, string key, string message) =>
        At(values.TryGetValue(key, out var found) ? found.Offset : -Base, message, code);

    /// <summary>An activation function by its name, or by the default name if there is none.</summary>
    public Activation Activation(string key, string absent) =>
        Activations.Find(TextOr(key, absent)) ?? throw Wrong(key, $"one of {string.Join(", ", Activations.Names)}");

    private long Base { get; init; }

    private int Int(string key, JsonElement value, int min) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= min && number <= MaxInteger
            ? number
            : throw Wrong(key, $"a whole number from {min} to {MaxInteger}");

    private float Float(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out float number) && float.IsFinite(number) && number > 0
            ? number
            : throw Wrong(key, "a positive number");

    private JsonElement Required(string key) => Has(key)
        ? values[key].Value
        : throw At(-Base, $"the key {Quote.Name(prefix + key)} is missing, which this architecture needs");

    private CompressException At(long offset, string message, string code = Codes.LanguageModelConfig)
    {
        var before = json.AsSpan(0, (int)(Base + offset));
        int line = before.Count((byte)'\n') + 1;
        int column = Encoding.UTF8.GetCharCount(before[(before.LastIndexOf((byte)'\n') + 1)..]) + 1;
        return new(new Diagnostic(code, Severity.Error, message, File, line, column));
    }
}
