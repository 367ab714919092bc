using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.Gguf;

/// <summary>GGUF files of versions 2 and 3, little-endian, whose tensors are floats, integers, or in blocks of Q8_0, Q4_0, Q4_K or Q6_K.</summary>
public sealed class GgufFormat : IModelFormat
{
    private const uint Magic = 0x46554747;
    private const int MaxDimensions = 4;

    // By ggml_type; null for those that are not read.
    private static readonly Dictionary<uint, (string Name, DType? Type, ElementCoding Coding)> Types = new()
    {
        [0] = ("F32", DType.F32, ElementCoding.Plain),
        [1] = ("F16", DType.F16, ElementCoding.Plain),
        [2] = ("Q4_0", DType.F32, ElementCoding.Q4Zero),
        [3] = ("Q4_1", null, default),
        [6] = ("Q5_0", null, default),
        [7] = ("Q5_1", null, default),
        [8] = ("Q8_0", DType.F32, ElementCoding.Q8Zero),
        [9] = ("Q8_1", null, default),
        [10] = ("Q2_K", null, default),
        [11] = ("Q3_K", null, default),
        [12] = ("Q4_K", DType.F32, ElementCoding.Q4K),
        [13] = ("Q5_K", null, default),
        [14] = ("Q6_K", DType.F32, ElementCoding.Q6K),
        [15] = ("Q8_K", null, default),
        [24] = ("I8", DType.I8, ElementCoding.Plain),
        [25] = ("I16", DType.I16, ElementCoding.Plain),
        [26] = ("I32", DType.I32, ElementCoding.Plain),
        [27] = ("I64", DType.I64, ElementCoding.Plain),
        [28] = ("F64", DType.F64, ElementCoding.Plain),
        [30] = ("BF16", DType.BF16, ElementCoding.Plain),
    };

    /// <inheritdoc/>
    public string Name => "GGUF";

    /// <inheritdoc/>
    public string Looks => "*.gguf";

    /// <inheritdoc/>
    public string[] Extensions => [".gguf"];

    /// <inheritdoc/>
    public bool Recognizes(string path) => File.Exists(path) && path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public ModelHeader ReadHeader(string path)
    {
        using var reader = new HeaderReader(path);
        uint magic = reader.UInt32("its start"), version = reader.UInt32("its version");
        if (magic != Magic || version is not (2 or 3))
        {
            throw reader.Bad(
                magic != Magic ? "it does not begin with 'GGUF'"
                : version is 0x02000000 or 0x03000000 ? "its numbers are big-endian; only little-endian files are read"
                : $"it is of version {version} of GGUF; known are 2 and 3");
        }

        long count = reader.Count("the number of tensors");
        if (count > TensorList.MaxTensors)
        {
            throw reader.Bad($"it says that it has {count} tensors; {TensorList.MaxTensors} are allowed");
        }

        var metadata = GgufMetadata.Read(reader);
        var found = new List<(ModelTensor Tensor, long Stored)>();
        for (long i = 0; i < count; i++)
        {
            found.Add(ReadTensor(reader, metadata));
        }

        long data = Aligned(reader.Position, metadata.Alignment);
        long end = data;
        var list = new TensorList(path);
        foreach (var (tensor, stored) in found)
        {
            if (tensor.Offset > reader.Length - data || tensor.Offset % metadata.Alignment != 0)
            {
                throw reader.Bad($"tensor {Quote.Name(tensor.Name)} begins at byte {tensor.Offset} of the data, which is outside of the file, or no multiple of {metadata.Alignment}");
            }

            list.Add(tensor with { Offset = data + tensor.Offset }, reader.Length);
            end = Math.Max(end, data + tensor.Offset + stored);
        }

        return reader.Length == end || reader.Length == Aligned(end, metadata.Alignment)
            ? list.ToHeader()
            : throw reader.Bad($"its tensors end at byte {end}, but the file has {reader.Length} bytes");
    }

    private static (ModelTensor Tensor, long Stored) ReadTensor(HeaderReader reader, GgufMetadata metadata)
    {
        string name = reader.Text(reader.Count("the name of a tensor"), "the name of a tensor");
        string what = $"tensor {Quote.Name(name)}";
        uint dimensions = reader.UInt32(what);
        if (dimensions > MaxDimensions)
        {
            throw reader.Bad($"{what} has {dimensions} dimensions; GGUF allows {MaxDimensions}");
        }

        // They stand innermost first.
        long[] shape = new long[dimensions];
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            shape[i] = reader.Count(what);
        }

        uint code = reader.UInt32(what);
        long offset = reader.Count(what);
        if (!Types.TryGetValue(code, out var type) || type.Type is not { } dtype)
        {
            string known = string.Join(", ", Types.Values.Where(value => value.Type is not null).Select(value => value.Name));
            throw reader.Bad($"{what} is stored as {type.Name ?? $"ggml type {code}"}, which is not read; known are {known}");
        }

        long bytes = TensorList.ByteLength(reader.File, name, dtype, shape);
        long elements = bytes / dtype.SizeInBytes(), stored = bytes;
        if (type.Coding != ElementCoding.Plain)
        {
            int block = type.Coding.BlockElements();
            if (shape.Length == 0 || shape[shape.Length - 1] % block != 0)
            {
                throw reader.Bad($"{what} {Quote.Shape(shape)} is stored as {type.Name}, whose rows are made of whole blocks of {block}");
            }

            stored = elements / block * type.Coding.BlockBytes();
        }

        var layout = TensorLayout.Of(GgufNames.Axes(reader, name, shape, metadata) ?? [new(elements, 1)], type.Coding, stored);
        return (new(GgufNames.Of(name, metadata), dtype, shape, reader.File, offset, bytes) { Layout = elements == 0 ? null : layout }, stored);
    }

    private static long Aligned(long offset, long alignment) => (offset + alignment - 1) / alignment * alignment;
}
