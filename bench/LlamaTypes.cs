using Compress.Core.Emit;
using Compress.Core.Models;
using Compress.Runtime.Safetensors;

namespace Compress.Bench;

/// <summary>
/// A model in one of llama.cpp's types: its matrices quantized and unpacked again by ggml. Types with blocks of 256 need rows of a multiple of 256, others of
/// 32; where that is not so, a matrix gets what llama-quantize gives it instead: a type with blocks of 32, or F16.
/// </summary>
internal static class LlamaTypes
{
    /// <summary>All types that are compared. IQ types get equal importance for all weights: they ask for some.</summary>
    public static IReadOnlyList<Ggml.Format> All { get; } =
    [
        new("IQ2_XXS", 16, "dequantize_row_iq2_xxs", 256, "IQ4_NL"),
        new("IQ2_XS", 17, "dequantize_row_iq2_xs", 256, "IQ4_NL"),
        new("IQ2_S", 22, "dequantize_row_iq2_s", 256, "IQ4_NL"),
        new("Q2_K", 10, "dequantize_row_q2_K", 256, "IQ4_NL"),
        new("IQ3_XXS", 18, "dequantize_row_iq3_xxs", 256, "IQ4_NL"),
        new("IQ3_S", 21, "dequantize_row_iq3_s", 256, "IQ4_NL"),
        new("Q3_K", 11, "dequantize_row_q3_K", 256, "IQ4_NL"),
        new("IQ4_XS", 23, "dequantize_row_iq4_xs", 256, "IQ4_NL"),
        new("IQ4_NL", 20, "dequantize_row_iq4_nl", 32, null),
        Ggml.Q4_0,
        new("Q4_1", 3, "dequantize_row_q4_1", 32, null),
        Ggml.Q4_K,
        new("Q5_0", 6, "dequantize_row_q5_0", 32, null),
        new("Q5_1", 7, "dequantize_row_q5_1", 32, null),
        new("Q5_K", 13, "dequantize_row_q5_K", 256, "Q5_1"),
        new("Q6_K", 14, "dequantize_row_q6_K", 256, "Q8_0"),
        new("Q8_0", 8, "dequantize_row_q8_0", 32, null),
    ];

    /// <summary>True if some matrix of a model has that very type.</summary>
    public static bool Fits(ModelFile model, Ggml.Format format) => Matrices(model).Any(tensor => tensor.Columns % format.BlockSize == 0);

    /// <summary>Matrices that another type takes the place in, of all matrices.</summary>
    public static (int Replaced, int All) Replaced(ModelFile model, Ggml.Format format)
    {
        var matrices = Matrices(model).ToList();
        return (matrices.Count(tensor => tensor.Columns % format.BlockSize != 0), matrices.Count);
    }

    /// <summary>Measures a model in a type.</summary>
    public static Quality Measure(QualityTrial trial, Ggml.Format format)
    {
        double bytes = 0, weights = 0;
        var arrays = new List<StoredArray>();
        foreach (var tensor in trial.Source.Tensors)
        {
            float[] values = new float[tensor.Count];
            tensor.ReadRows(0, tensor.Rows, values);
            if (tensor.Shape.Count == 2)
            {
                (values, long stored) = Rounded(values, tensor.Rows, tensor.Columns, format);
                (bytes, weights) = (bytes + stored, weights + values.Length);
            }

            arrays.Add(new(tensor.Name, DType.F32, tensor.Shape, 4L * values.Length, stream => stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values))));
        }

        return trial.Measure(8 * bytes / weights, stream => SafetensorsWriter.Write(stream, new Dictionary<string, string>(), arrays));
    }

    private static IEnumerable<SourceTensor> Matrices(ModelFile model) => model.Tensors.Where(tensor => tensor.Shape.Count == 2);

    private static (float[] Values, long Bytes) Rounded(float[] weights, int rows, int columns, Ggml.Format format)
    {
        if (columns % format.BlockSize != 0)
        {
            return format.Fallback is { } other
                ? Rounded(weights, rows, columns, All.First(type => type.Name == other))
                : (Array.ConvertAll(weights, value => (float)(Half)value), 2L * weights.Length);
        }

        Ggml.Initialize(format);
        byte[] packed = new byte[4L * weights.Length];
        long bytes = Ggml.Quantize(format, weights, packed, rows, columns, format.Name.StartsWith("IQ", StringComparison.Ordinal));
        return (Ggml.Dequantize(format, packed, weights.Length), bytes);
    }
}
