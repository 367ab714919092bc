using System.Text;
using System.Text.Json;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime;

/// <summary>
/// The JSON of <c>__metadata__["compress"]</c>. Opening looks through it once; a tensor's description is parsed when the tensor is opened.
/// <code>{"version":1,"tensors":{"fc.weight":{"codec":"higgs","dtype":"F32","shape":[64,172],"p":2,"n":256,"shared":["grid.p2n256"]}}}</code>
/// </summary>
internal sealed class PackedDescriptions
{
    private const int MaxDimensions = 64; // as in headers

    private readonly byte[] json;
    private readonly Dictionary<string, (int Start, int Length)> places = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> sharedWeights = new(StringComparer.Ordinal); // weights of all users of a table

    /// <summary>Of a file that describes nothing.</summary>
    public PackedDescriptions() => json = [];

    /// <exception cref="InvalidDataException">It is not well-formed, or of another version.</exception>
    public PackedDescriptions(string text)
    {
        json = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(json);
        try
        {
            ReadAll(ref reader);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"its metadata '{PackedFormat.MetadataKey}' is not JSON (near byte {reader.BytesConsumed})", exception);
        }
    }

    /// <summary>The names of the described tensors.</summary>
    public IReadOnlyCollection<string> Names => places.Keys;

    /// <summary>True if the tensor is described.</summary>
    public bool Contains(string name) => places.ContainsKey(name);

    /// <summary>The number of weights of all tensors that say that they use a shared table.</summary>
    public double WeightsSharing(string table) => sharedWeights.GetValueOrDefault(table);

    /// <summary>The description of a tensor, or null if it has none.</summary>
    /// <exception cref="InvalidDataException">It is not well-formed.</exception>
    public TensorDescription? Find(string name)
    {
        if (!places.TryGetValue(name, out var place))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(
                json.AsMemory(place.Start, place.Length), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Parse(name, document.RootElement.Clone());
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Bad(name, "its description is not valid JSON, or has a key twice", exception);
        }
    }

    private static TensorDescription Parse(string name, JsonElement description)
    {
        string codec = description.TryGetProperty("codec", out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : throw Bad(name, "its description has no 'codec'");
        if (!description.TryGetProperty("dtype", out var type) || type.ValueKind != JsonValueKind.String)
        {
            throw Bad(name, "its description has no 'dtype'");
        }

        if (!DTypes.TryParse(type.GetString(), out var dtype))
        {
            throw Bad(name, $"its description has the dtype {Quote.Name(type.GetString()!)}, which is not known ({DTypes.AllNames})");
        }

        if (!description.TryGetProperty("shape", out var dimensions) || dimensions.ValueKind != JsonValueKind.Array)
        {
            throw Bad(name, "its description has no 'shape'");
        }

        long[] shape = [.. dimensions.EnumerateArray().Select(dimension =>
            dimension.ValueKind == JsonValueKind.Number && dimension.TryGetInt64(out long value) && value >= 0
                ? value
                : throw Bad(name, "the 'shape' of its description is not an array of whole numbers from 0"))];
        CheckProduct(name, shape);

        string[] shared = [];
        if (description.TryGetProperty("shared", out var tables))
        {
            shared = tables.ValueKind == JsonValueKind.Array && tables.EnumerateArray().All(table => table.ValueKind == JsonValueKind.String)
                ? [.. tables.EnumerateArray().Select(table => table.GetString()!)]
                : throw Bad(name, "the 'shared' of its description is not an array of texts");
        }

        return new(codec, dtype, shape, shared, description);
    }

    private static void CheckProduct(string name, long[] shape)
    {
        long product = sizeof(double); // No element is larger: so that bytes can be counted too.
        foreach (long dimension in shape)
        {
            if (shape.Length > MaxDimensions || (dimension != 0 && product > long.MaxValue / dimension))
            {
                throw Bad(name, "the 'shape' of its description has a product that is too large, or too many dimensions");
            }

            product *= dimension;
        }
    }

    private static InvalidDataException Bad(string name, string what, Exception? inner = null) => new($"packed tensor {Quote.Name(name)}: {what}", inner);

    private static bool NextProperty(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    private void ReadAll(ref Utf8JsonReader reader)
    {
        bool hasVersion = false;
        bool hasTensors = false;
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InvalidDataException($"its metadata '{PackedFormat.MetadataKey}' is not a JSON object");
        }

        while (NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("version"u8) && !hasVersion)
            {
                hasVersion = true;
                reader.Read();
                CheckVersion(ref reader);
            }
            else if (reader.ValueTextEquals("tensors"u8) && !hasTensors)
            {
                hasTensors = true;
                ReadTensors(ref reader);
            }
            else
            {
                throw new InvalidDataException(
                    $"its metadata '{PackedFormat.MetadataKey}' has the key {Quote.Name(reader.GetString()!)}, which version "
                    + $"{PackedFormat.Version} does not know or which stands twice");
            }
        }

        reader.Read(); // Only space may follow; anything else throws.
        if (!hasVersion || !hasTensors)
        {
            throw new InvalidDataException($"its metadata '{PackedFormat.MetadataKey}' has no '{(hasVersion ? "tensors" : "version")}'");
        }
    }

    private static void CheckVersion(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out int version) || version != PackedFormat.Version)
        {
            string found = reader.TokenType == JsonTokenType.Number ? Quote.Number(reader.ValueSpan) : "no number";
            throw new InvalidDataException(
                $"its container version is {found}, expected {PackedFormat.Version}: use the Compress.Runtime of the version that packed it");
        }
    }

    private void ReadTensors(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InvalidDataException($"the 'tensors' of its metadata '{PackedFormat.MetadataKey}' is not an object");
        }

        while (NextProperty(ref reader))
        {
            string name = reader.GetString()!;
            if (name.Contains(PackedFormat.Separator, StringComparison.Ordinal))
            {
                throw Bad(name, $"a tensor's name must not contain '{PackedFormat.Separator}'");
            }

            reader.Read();
            int start = (int)reader.TokenStartIndex;
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw Bad(name, "its description is not an object");
            }

            LookThrough(ref reader);
            if (!places.TryAdd(name, (start, (int)reader.BytesConsumed - start)))
            {
                throw Bad(name, "it is described twice");
            }
        }
    }

    // Who uses which table must be known before any tensor can say how many bits it takes. Whether shapes are right is found when they are opened.
    private void LookThrough(ref Utf8JsonReader reader)
    {
        double weights = 1;
        List<string>? tables = null;
        while (NextProperty(ref reader))
        {
            bool isShape = reader.ValueTextEquals("shape"u8);
            bool isShared = !isShape && reader.ValueTextEquals("shared"u8);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartArray || !(isShape || isShared))
            {
                reader.Skip();
                continue;
            }

            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (isShape && reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out double dimension))
                {
                    weights *= dimension;
                }
                else if (isShared && reader.TokenType == JsonTokenType.String)
                {
                    (tables ??= []).Add(reader.GetString()!);
                }
                else
                {
                    reader.Skip();
                }
            }
        }

        foreach (string table in tables ?? [])
        {
            sharedWeights[table] = sharedWeights.GetValueOrDefault(table) + weights;
        }
    }
}

/// <summary>How one tensor is packed.</summary>
/// <param name="Codec">The codec's name.</param>
/// <param name="DType">Its element type in the source model.</param>
/// <param name="Shape">Its shape in the source model; the product fits.</param>
/// <param name="Shared">The shared tables that it uses.</param>
/// <param name="Parameters">The whole description, the codec's parameters among it.</param>
internal sealed record TensorDescription(string Codec, DType DType, long[] Shape, string[] Shared, JsonElement Parameters);
