using System.Numerics;
using System.Text.Json;
using Compress.Runtime.Codecs;
using Compress.Runtime.Codecs.Entropy;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime;

/// <summary>What a codec's decoder is given: the tensor's identity, its parameters, and its stored arrays.</summary>
internal sealed class PackedParts
{
    // Of what is packed in a part of a part: more than any codec needs, so that files cannot make decoding recurse.
    private const int MaxDepth = 4;

    private readonly Func<string, (TensorEntry Entry, ByteView View)?> find;
    private readonly int depth;
    private readonly HashSet<string> charged = new(StringComparer.Ordinal);
    private long ownBytes, decodedBytes;
    private double sharedBits;

    /// <param name="name">The tensor's name.</param>
    /// <param name="dtype">Its element type in the source model.</param>
    /// <param name="shape">Its shape in the source model.</param>
    /// <param name="parameters">The JSON object of the codec's parameters.</param>
    /// <param name="find">Finds a stored array of the container by its full name.</param>
    /// <param name="sharedBitsPerWeight">Bits per weight that each user of a shared table (by its full name) answers for.</param>
    public PackedParts(
        string name,
        DType dtype,
        IReadOnlyList<long> shape,
        JsonElement parameters,
        Func<string, (TensorEntry Entry, ByteView View)?> find,
        Func<string, double> sharedBitsPerWeight)
        : this(name, dtype, shape, parameters, find, sharedBitsPerWeight, depth: 0)
    {
    }

    private PackedParts(
        string name,
        DType dtype,
        IReadOnlyList<long> shape,
        JsonElement parameters,
        Func<string, (TensorEntry Entry, ByteView View)?> find,
        Func<string, double> sharedBitsPerWeight,
        int depth)
    {
        this.depth = depth;
        Name = name;
        DType = dtype;
        Shape = shape;
        Parameters = parameters;
        this.find = find;
        SharedBitsPerWeight = sharedBitsPerWeight;
    }

    public string Name { get; }

    public DType DType { get; }

    public IReadOnlyList<long> Shape { get; }

    public JsonElement Parameters { get; }

    /// <summary>Bytes of the parts taken so far: what the tensor alone stores.</summary>
    public long OwnBytes => ownBytes;

    /// <summary>Bytes by which these parts are longer in memory than in the file.</summary>
    public long DecodedBytes => decodedBytes;

    /// <summary>Bits per weight that the shared tables taken so far cost this tensor.</summary>
    public double SharedBits => sharedBits;

    private Func<string, double> SharedBitsPerWeight { get; }

    /// <summary>True if a parameter is there.</summary>
    public bool Has(string parameter) => Parameters.TryGetProperty(parameter, out _);

    /// <summary>An integer parameter within bounds.</summary>
    /// <exception cref="InvalidDataException">It is absent, no integer, or out of bounds.</exception>
    public int Int(string parameter, int min, int max)
    {
        if (!Parameters.TryGetProperty(parameter, out var value) || value.ValueKind != JsonValueKind.Number
            || !value.TryGetInt32(out int number) || number < min || number > max)
        {
            throw Bad($"parameter '{parameter}' is not an integer from {min} to {max}");
        }

        return number;
    }

    /// <summary>An integer parameter within bounds that is a power of two.</summary>
    /// <exception cref="InvalidDataException">It is absent, no power of two, or out of bounds.</exception>
    public int PowerOfTwo(string parameter, int min, int max)
    {
        int value = Int(parameter, min, max);
        return BitOperations.IsPow2(value) ? value : throw Bad($"parameter '{parameter}' is {value}, not a power of two");
    }

    /// <summary>A 64-bit unsigned parameter, such as a seed.</summary>
    /// <exception cref="InvalidDataException">It is absent or not such a number.</exception>
    public ulong UInt64(string parameter) =>
        Parameters.TryGetProperty(parameter, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out ulong number)
            ? number
            : throw Bad($"parameter '{parameter}' is not an unsigned 64-bit integer");

    /// <summary>A boolean parameter.</summary>
    /// <exception cref="InvalidDataException">It is absent or no boolean.</exception>
    public bool Bool(string parameter) =>
        Parameters.TryGetProperty(parameter, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw Bad($"parameter '{parameter}' is not true or false");

    /// <summary>A text parameter.</summary>
    /// <exception cref="InvalidDataException">It is absent or no text.</exception>
    public string Text(string parameter) =>
        Parameters.TryGetProperty(parameter, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw Bad($"parameter '{parameter}' is not a text");

    /// <summary>A stored array of this tensor, of exactly the expected type and size.</summary>
    /// <exception cref="InvalidDataException">It is absent, or of another type or size.</exception>
    public ByteView Part(string part, DType dtype, long count)
    {
        var view = Find(PackedFormat.PartName(Name, part), dtype, count);
        ownBytes += view.Length;
        return view;
    }

    /// <summary>A stored array of bytes of any length.</summary>
    /// <exception cref="InvalidDataException">It is absent, of another type, or longer than an array can be.</exception>
    public ByteView Bytes(string part)
    {
        string name = PackedFormat.PartName(Name, part);
        var view = find(name) is (var entry, var found) && entry.DType == DType.U8 && found.Length <= Array.MaxLength
            ? found
            : throw Bad($"its array {Quote.Name(name)} is not in the file, not of U8, or too long");
        ownBytes += view.Length;
        return view;
    }

    /// <summary>Rows of codes with <paramref name="n"/> values, of exactly the expected size, or entropy-coded: then they are decoded, into plain codes.</summary>
    /// <param name="part">The array.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="codesPerRow">Codes of a row.</param>
    /// <param name="n">Values of a code.</param>
    /// <returns>The codes, and the layout of each row.</returns>
    /// <exception cref="InvalidDataException">They are absent, of another type or size, or damaged.</exception>
    public (ByteView Codes, CodeLayout Layout) Codes(string part, int rows, int codesPerRow, int n)
    {
        var layout = CodeLayout.Of(n);
        if (!IsCoded(part))
        {
            return (Part(part, DType.U8, rows * layout.RowBytes(codesPerRow)), layout);
        }

        string name = PackedFormat.PartName(Name, part);
        var stream = find(name) is (var entry, var view) && entry.DType == DType.U8 ? view : throw Bad($"its array {Quote.Name(name)} is not in the file, or not of U8");
        var coded = new CodedRows(rows, codesPerRow, n);
        byte[] codes = (coded.Fits ? coded.Decode(stream) : null) ?? throw Bad($"its array {Quote.Name(name)} is damaged: these are not the codes of {rows} rows");
        ownBytes += stream.Length;
        decodedBytes += codes.Length - stream.Length;
        return (new(MappedBytes.FromArray(codes), 0, codes.Length), CodeLayout.Of(1 << layout.Bits));
    }

    /// <summary>A table that several tensors share, of exactly the expected type and size.</summary>
    /// <exception cref="InvalidDataException">It is absent, or of another type or size.</exception>
    public ByteView Shared(string table, DType dtype, long count)
    {
        string name = PackedFormat.SharedName(table);
        var view = Find(name, dtype, count);
        Charge(name);
        return view;
    }

    /// <summary>A matrix that is packed by itself as a part of this tensor. Its bytes count as the tensor's own; tables that it uses are charged to the tensor.</summary>
    /// <param name="part">Its name in the description's <c>parts</c>.</param>
    /// <param name="rows">The rows that it must have.</param>
    /// <param name="columns">The columns that it must have.</param>
    /// <exception cref="InvalidDataException">It is absent, of another shape, nested too deeply, or does not fit its own description.</exception>
    public PackedTensor Matrix(string part, long rows, long columns)
    {
        if (depth == MaxDepth)
        {
            throw Bad($"its parts have parts more than {MaxDepth} levels deep");
        }

        if (!Parameters.TryGetProperty("parts", out var parts) || parts.ValueKind != JsonValueKind.Object
            || !parts.TryGetProperty(part, out var json) || json.ValueKind != JsonValueKind.Object)
        {
            throw Bad($"the 'parts' of its description have no '{part}'");
        }

        string name = PackedFormat.PartName(Name, part);
        var description = TensorDescription.Parse(name, json);
        if (description.Shape is not [var height, var width] || height != rows || width != columns)
        {
            throw Bad($"its part '{part}' is {Quote.Shape(description.Shape)}, expected {Quote.Shape([rows, columns])}");
        }

        if (description.Shared.Length > 0)
        {
            throw Bad($"its part '{part}' has a 'shared'; the tensor's own names the tables of its parts too");
        }

        if (description.Codec != "keep" && find(name) is not null)
        {
            throw Bad($"its part '{part}' is described as '{description.Codec}', but also stored as it is");
        }

        var tensor = DecoderTable.Open(
            description.Codec, new(name, description.DType, description.Shape, description.Parameters, find, Charge, depth + 1));
        ownBytes += tensor.StoredBytes;
        decodedBytes += tensor.MemoryBytes - tensor.StoredBytes;
        return tensor;
    }

    /// <summary>The tensor's own array, for tensors that are stored under their own name.</summary>
    public (TensorEntry Entry, ByteView View) Self()
    {
        var found = find(Name) ?? throw Bad("it is not in the file");
        ownBytes += found.View.Length;
        return found;
    }

    /// <summary>The error for a tensor whose description and contents do not fit.</summary>
    public InvalidDataException Bad(string what) => new($"packed tensor {Quote.Name(Name)}: {what}");

    private bool IsCoded(string part) =>
        Parameters.ValueKind == JsonValueKind.Object && Parameters.TryGetProperty(PackedFormat.EntropyKey, out _) && Text(PackedFormat.EntropyKey).Split(' ').Contains(part);

    // Once, however many parts use the table. Zero, for parts: the tensor answers for its tables.
    private double Charge(string table)
    {
        sharedBits += charged.Add(table) ? SharedBitsPerWeight(table) : 0;
        return 0;
    }

    private ByteView Find(string name, DType dtype, long count)
    {
        var (entry, view) = find(name) ?? throw Bad($"its array {Quote.Name(name)} is not in the file");
        if (entry.DType != dtype || entry.Count != count)
        {
            throw Bad($"its array {Quote.Name(name)} holds {entry.Count} {entry.DType.Name()}, expected {count} {dtype.Name()}");
        }

        return view;
    }
}
