using System.Runtime.CompilerServices;
using System.Text.Json;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime;

/// <summary>The tables that a description says its tensor shares.</summary>
/// <param name="Names">The tables.</param>
/// <param name="Weights">The tensor's number of weights.</param>
internal readonly record struct SharedTables(string[] Names, double Weights);

/// <summary>
/// Looks through a description. Who uses which table must be known before any tensor can say how many bits it takes. Whether shapes are
/// right is found when they are opened.
/// </summary>
internal sealed class DescriptionScanner
{
    private readonly long[] shape = new long[8]; // of a tensor whose description is scanned
    private byte[] lastShared = [];
    private string[] lastNames = [];

    /// <summary>Reads the next member of <c>tensors</c>; false if it is not what writers write: a flat object.</summary>
    [MethodImpl(JsonScanner.Optimized)]
    public bool TryScan(ref JsonScanner json, out ReadOnlySpan<byte> name, out int start, out SharedTables tables)
    {
        (start, tables) = (0, default);
        if (!json.TryText(out name) || !json.Take(":{"u8))
        {
            return false;
        }

        start = json.Position - 1;
        double weights = 1;
        string[] names = [];

        do
        {
            bool isUsual = json.Take("\"shape\":"u8) ? ScanShape(ref json, ref weights)
                : json.Take("\"shared\":"u8) ? ScanNames(ref json, ref names)
                : json.TryText(out _) && json.Take(":"u8) && json.TrySkipScalar();
            if (!isUsual)
            {
                return false;
            }
        }
        while (json.Take(","u8));

        tables = new SharedTables(names, weights);
        return json.Take("}"u8);
    }

    /// <summary>Reads any description.</summary>
    /// <param name="reader">At the beginning of the object; then at its end.</param>
    public static SharedTables Read(ref Utf8JsonReader reader)
    {
        double weights = 1;
        List<string>? names = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
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
                    (names ??= []).Add(reader.GetString()!);
                }
                else
                {
                    reader.Skip();
                }
            }
        }

        return new SharedTables(names?.ToArray() ?? [], weights);
    }

    private bool ScanShape(ref JsonScanner json, ref double weights)
    {
        if (!json.TryNumbers(shape, out int count))
        {
            return false;
        }

        foreach (long dimension in shape.AsSpan(0, count))
        {
            weights *= dimension;
        }

        return true;
    }

    private bool ScanNames(ref JsonScanner json, ref string[] names)
    {
        if (lastNames.Length > 0 && json.Take(lastShared))
        {
            names = lastNames; // Most tensors share what the one before does.
            return true;
        }

        int start = json.Position;
        var found = new List<string>();
        if (!json.Take("["u8))
        {
            return false;
        }

        do
        {
            if (!json.TryText(out var text))
            {
                return false;
            }

            found.Add(JsonScanner.Ascii(text));
        }
        while (json.Take(","u8));

        if (!json.Take("]"u8))
        {
            return false;
        }

        names = [.. found];
        (lastNames, lastShared) = (names, json.Since(start).ToArray());
        return true;
    }
}
