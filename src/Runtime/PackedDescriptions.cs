using System.Runtime.InteropServices;
using System.Text.Json;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime;

/// <summary>
/// The JSON of <c>__metadata__["compress"]</c>. Opening looks through it once; a tensor's description is parsed when the tensor is opened.
/// <code>{"version":1,"tensors":{"fc.weight":{"codec":"higgs","dtype":"F32","shape":[64,172],"p":2,"n":256,"shared":["grid.p2n256"]}}}</code>
/// </summary>
internal sealed class PackedDescriptions
{
    // What a description takes, roughly, with its tensor's name.
    private const int UsualBytes = 120;

    private readonly byte[] json;
    private readonly Dictionary<string, int> starts;
    private readonly Dictionary<string, double> sharedWeights = new(StringComparer.Ordinal); // weights of all users of a table

    /// <summary>Of a file that describes nothing.</summary>
    public PackedDescriptions()
    {
        json = [];
        starts = [];
    }

    /// <param name="json">The text in UTF-8.</param>
    /// <param name="scans">False to have Utf8JsonReader read all: slow, and with the same result.</param>
    /// <exception cref="InvalidDataException">It is not well-formed, or of another version.</exception>
    public PackedDescriptions(byte[] json, bool scans = true)
    {
        this.json = json;
        starts = new(json.Length / UsualBytes, StringComparer.Ordinal);
        var cursor = new JsonCursor(json, scans);
        try
        {
            ReadAll(ref cursor);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"its metadata '{PackedFormat.MetadataKey}' is not JSON (near byte {cursor.Position})", exception);
        }
    }

    /// <summary>The names of the described tensors.</summary>
    public IReadOnlyCollection<string> Names => starts.Keys;

    /// <summary>True if the tensor is described.</summary>
    public bool Contains(string name) => starts.ContainsKey(name);

    /// <summary>The number of weights of all tensors that say that they use a shared table.</summary>
    public double WeightsSharing(string table) => sharedWeights.GetValueOrDefault(table);

    /// <summary>The description of a tensor, or null if it has none.</summary>
    /// <exception cref="InvalidDataException">It is not well-formed.</exception>
    public TensorDescription? Find(string name)
    {
        if (!starts.TryGetValue(name, out int start))
        {
            return null;
        }

        try
        {
            var reader = new Utf8JsonReader(json.AsSpan(start));
            reader.Read();
            reader.Skip();
            using var document = JsonDocument.Parse(
                json.AsMemory(start, (int)reader.BytesConsumed), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return TensorDescription.Parse(name, document.RootElement.Clone());
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Bad(name, "its description is not valid JSON, or has a key twice", exception);
        }
    }

    private static InvalidDataException Bad(string name, string what, Exception? inner = null) => TensorDescription.Bad(name, what, inner);

    private void ReadAll(ref JsonCursor cursor)
    {
        bool hasVersion = false;
        bool hasTensors = false;
        cursor.Reader.Read();
        if (cursor.Reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InvalidDataException($"its metadata '{PackedFormat.MetadataKey}' is not a JSON object");
        }

        while (cursor.NextName())
        {
            if (cursor.Reader.ValueTextEquals("version"u8) && !hasVersion)
            {
                hasVersion = true;
                cursor.Reader.Read();
                CheckVersion(ref cursor.Reader);
            }
            else if (cursor.Reader.ValueTextEquals("tensors"u8) && !hasTensors)
            {
                hasTensors = true;
                ReadTensors(ref cursor);
            }
            else
            {
                throw new InvalidDataException(
                    $"its metadata '{PackedFormat.MetadataKey}' has the key {Quote.Name(cursor.Reader.GetString()!)}, which version "
                    + $"{PackedFormat.Version} does not know or which stands twice");
            }
        }

        cursor.Reader.Read(); // Only space may follow; anything else throws.
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

    private void ReadTensors(ref JsonCursor cursor)
    {
        cursor.Reader.Read();
        if (cursor.Reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InvalidDataException($"the 'tensors' of its metadata '{PackedFormat.MetadataKey}' is not an object");
        }

        ScanTensors(ref cursor);
        while (cursor.NextName())
        {
            string name = cursor.Reader.GetString()!;
            cursor.Reader.Read();
            if (cursor.Reader.TokenType != JsonTokenType.StartObject)
            {
                throw Bad(name, "its description is not an object");
            }

            int start = cursor.TokenStart;
            Add(name, start, DescriptionScanner.Read(ref cursor.Reader));
            ScanTensors(ref cursor);
        }
    }

    private void ScanTensors(ref JsonCursor cursor)
    {
        if (!cursor.MayScan)
        {
            return;
        }

        var scanner = new DescriptionScanner();
        var json = cursor.Scan();
        while (json.NextMember() && scanner.TryScan(ref json, out var name, out int start, out var tables))
        {
            Add(JsonScanner.Ascii(name), start, tables);
        }

        cursor.MoveBehind(json.MembersEnd);
    }

    private void Add(string name, int start, SharedTables tables)
    {
        if (name.Contains(PackedFormat.Separator, StringComparison.Ordinal))
        {
            throw Bad(name, $"a tensor's name must not contain '{PackedFormat.Separator}'");
        }

        if (!starts.TryAdd(name, start))
        {
            throw Bad(name, "it is described twice");
        }

        foreach (string table in tables.Names)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(sharedWeights, table, out _) += tables.Weights;
        }
    }
}
