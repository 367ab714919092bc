using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using Compress.Core.Codecs;
using Compress.Core.Emit;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Recovery;

/// <summary>A described packed tensor, all of it in memory.</summary>
internal sealed class StoredTensor
{
    private readonly PackedEntry entry;
    private readonly JsonObject description;
    private readonly Dictionary<string, (DType Type, byte[] Bytes)> arrays;

    public StoredTensor(PackedEntry entry)
    {
        this.entry = entry;
        (Name, description) = (entry.Name, JsonObject.Create(entry.Description!.Value)!);
        arrays = entry.Arrays.ToDictionary(array => array.Name, array => (array.DType, Bytes(array)), StringComparer.Ordinal);
    }

    /// <summary>The tensor's name.</summary>
    public string Name { get; }

    /// <summary>The codec's name.</summary>
    public string Codec => description["codec"]!.GetValue<string>();

    /// <summary>The full name of a part's array.</summary>
    public string NameOf(string part) => PackedFormat.PartName(Name, part);

    /// <summary>An integer parameter.</summary>
    public int Int(string parameter) => description[parameter]!.GetValue<int>();

    /// <summary>A text parameter.</summary>
    public string Text(string parameter) => description[parameter]!.GetValue<string>();

    /// <summary>A seed.</summary>
    public ulong Seed => description["seed"]!.GetValue<ulong>();

    /// <summary>True if it has such a parameter.</summary>
    public bool HasParameter(string parameter) => description.ContainsKey(parameter);

    /// <summary>True if it has a matrix as a part that is described by itself.</summary>
    public bool HasNested(string part) => description["parts"] is JsonObject parts && parts.ContainsKey(part);

    /// <summary>A matrix that is a part, as a tensor of its own.</summary>
    public PackedEntry Nested(string part)
    {
        string name = NameOf(part);
        return new(
            name,
            JsonSerializer.SerializeToElement(description["parts"]![part]),
            [.. entry.Arrays.Where(array => array.Name == name || array.Name.StartsWith(name + PackedFormat.Separator, StringComparison.Ordinal)
                || array.Name.StartsWith(PackedFormat.Separator, StringComparison.Ordinal))]);
    }

    /// <summary>True if it has such a part.</summary>
    public bool Has(string part) => arrays.ContainsKey(NameOf(part));

    /// <summary>The bytes of a part.</summary>
    public byte[] Part(string part) => arrays[NameOf(part)].Bytes;

    /// <summary>A part of halves as floats.</summary>
    public float[] Halves(string part)
    {
        byte[] bytes = Part(part);
        float[] values = new float[bytes.Length / 2];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(bytes.AsSpan(2 * i));
        }

        return values;
    }

    /// <summary>A part of bfloat16 numbers as floats.</summary>
    public float[] BFloats(string part)
    {
        byte[] bytes = Part(part);
        float[] values = new float[bytes.Length / 2];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(2 * i)) << 16);
        }

        return values;
    }

    /// <summary>Floats as bfloat16 numbers: to nearest, ties to even.</summary>
    public static byte[] BFloats(ReadOnlySpan<float> values)
    {
        byte[] bytes = new byte[2 * values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(values[i]);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
        }

        return bytes;
    }

    /// <summary>Floats as halves; those too large for one become the largest.</summary>
    public static byte[] Halved(ReadOnlySpan<float> values)
    {
        const float Largest = 65504;
        byte[] bytes = new byte[2 * values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteHalfLittleEndian(bytes.AsSpan(2 * i), (Half)Math.Clamp(values[i], -Largest, Largest));
        }

        return bytes;
    }

    /// <summary>The same tensor with all scales 1.</summary>
    public PackedTensor WithoutScales()
    {
        var plain = (JsonObject)description.DeepClone();
        plain["scaleExponent"] = 0;
        string scales = NameOf("scales");
        float[] ones = new float[Part("scales").Length / 2];
        Array.Fill(ones, 1);
        var (dtype, shape, parameters, parts) = Taken(plain, array => array == scales ? Halved(ones) : arrays[array].Bytes);
        return DecodedTensor.Open(new(Codec, parameters, parts), dtype, shape);
    }

    /// <summary>The weights that it stands for.</summary>
    public float[] Weights()
    {
        var (dtype, shape, parameters, parts) = Taken(description, array => arrays[array].Bytes);
        var tensor = DecodedTensor.Open(new(Codec, parameters, parts), dtype, shape);
        float[] weights = new float[tensor.Count];
        tensor.Dequantize(weights);
        return weights;
    }

    /// <summary>What a decoder is given of it.</summary>
    public PackedParts Parts()
    {
        var (dtype, shape, parameters, parts) = Taken(description, array => arrays[array].Bytes);
        return DecodedTensor.Parts(new(Codec, parameters, parts), dtype, shape);
    }

    private (DType Type, long[] Shape, JsonObject Parameters, EncodedPart[] Parts) Taken(JsonObject from, Func<string, byte[]> bytes)
    {
        var dtype = DTypes.TryParse(from["dtype"]!.GetValue<string>(), out var known) ? known : default;
        long[] shape = [.. from["shape"]!.AsArray().Select(dimension => dimension!.GetValue<long>())];
        string own = NameOf("");
        return (dtype, shape, from,
        [
            .. arrays.Select(array => array.Key.StartsWith(own, StringComparison.Ordinal)
                ? new EncodedPart(array.Key[own.Length..], array.Value.Type, Shape(array.Value), bytes(array.Key))
                : new EncodedPart(array.Key[PackedFormat.Separator.Length..], array.Value.Type, Shape(array.Value), array.Value.Bytes, Shared: true)),
        ]);

        static long[] Shape((DType Type, byte[] Bytes) array) => [array.Bytes.Length / array.Type.SizeInBytes()];
    }

    /// <summary>The bytes of an array.</summary>
    public static byte[] Bytes(StoredArray array)
    {
        using var stream = new MemoryStream();
        array.CopyTo(stream);
        return stream.ToArray();
    }
}
