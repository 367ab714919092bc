using System;
using System.IO;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.TorchSharp;

/// <summary>State dictionaries that <c>Module.save</c> of TorchSharp wrote: entries one after the other, without a mark at the start.</summary>
public sealed class TorchSharpFormat : IModelFormat
{
    // By torch.ScalarType. Quantized types (12 to 14) are stored without their scales, and complex numbers (9, 10) have no counterpart here.
    private static readonly DType?[] Types =
    [
        DType.U8, DType.I8, DType.I16, DType.I32, DType.I64, DType.F16, DType.F32, DType.F64, null, null, null, DType.Bool, null, null, null, DType.BF16,
    ];

    /// <inheritdoc/>
    public string Name => "TorchSharp";

    /// <inheritdoc/>
    public string Looks => "*.dat";

    /// <inheritdoc/>
    public string[] Extensions => [".dat"];

    /// <inheritdoc/>
    public bool Recognizes(string path) => File.Exists(path) && path.EndsWith(".dat", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public ModelHeader ReadHeader(string path)
    {
        using var reader = new HeaderReader(path);
        byte[] start = reader.Start(4);
        if (start.Length == 4 && start[0] == 'P' && start[1] == 'K' && start[2] == 3 && start[3] == 4)
        {
            throw reader.Bad("it is a zip archive, as PyTorch and TorchScript write them, and no state dictionary of TorchSharp; if it is PyTorch's, call it *.pt");
        }

        var list = new TensorList(path);
        long count = Number(reader, "the number of entries");
        if (count > TensorList.MaxTensors || count > reader.Length / 3)
        {
            throw reader.Bad($"it says that it has {(ulong)count} entries, but it has {reader.Length} bytes: is it a state dictionary that TorchSharp saved?");
        }

        for (long i = 0; i < count; i++)
        {
            ReadEntry(reader, list, i);
        }

        return reader.Position == reader.Length
            ? list.ToHeader()
            : throw reader.Bad($"{reader.Length - reader.Position} bytes follow the last of its {count} entries: is it a state dictionary that TorchSharp saved?");
    }

    private static void ReadEntry(HeaderReader reader, TensorList list, long index)
    {
        string what = $"the name of entry {index + 1}";
        string name = reader.Text(Number(reader, what), what);
        what = $"tensor {Quote.Name(name)}";
        long code = Number(reader, what);
        var type = (ulong)code < (ulong)Types.Length ? Types[code] : null;
        if (type is null)
        {
            throw reader.Bad(code switch
            {
                9 or 10 => $"{what} has complex numbers, which cannot be stored here; save their real and imaginary parts",
                >= 12 and <= 14 => $"{what} is quantized, and TorchSharp saves no scales of such tensors; save it dequantized",
                _ => $"{what} has the element type {(ulong)code}, which TorchSharp does not have: is the file one that TorchSharp saved?",
            });
        }

        long[] shape = new long[TensorList.Dimensions(reader.File, name, Number(reader, what))];
        for (int i = 0; i < shape.Length; i++)
        {
            shape[i] = Number(reader, what);
        }

        long bytes = TensorList.ByteLength(reader.File, name, type.Value, shape);
        list.Add(new(name, type.Value, shape, reader.File, reader.Position, bytes), reader.Length);
        reader.Skip(bytes, what);
    }

    // Unsigned LEB128: seven bits a byte, the lowest first.
    private static long Number(HeaderReader reader, string what)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte part = reader.Byte(what);
            if (shift > 56 && part != 0)
            {
                throw reader.Bad($"it has a number of more than 63 bits in {what} before byte {reader.Position}");
            }

            value |= (part & 0x7Ful) << shift;
            if (part < 0x80)
            {
                return (long)value;
            }
        }
    }
}
