using Compress.Core.Codecs;
using Compress.Core.Models;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Infra;

/// <summary>Encodes matrices and opens the result with the Runtime.</summary>
internal static class Encoders
{
    // Moments of more inputs would take long.
    private const int MaxInputs = 600;

    public static ILayerEncoder Of(string codec, params (string Name, object Value)[] settings) => Of(codec, 0, settings);

    public static ILayerEncoder Of(string codec, ulong seed, params (string Name, object Value)[] settings)
    {
        var method = CodecTable.Find(codec)!;
        return method.Configure(new SettingValues(method.Settings, settings.ToDictionary(s => s.Name, s => s.Value)), seed);
    }

    /// <summary>Encodes a matrix; a method that needs statistics is told of <see cref="Inputs"/>, or of none if the matrix is wide, as an embedding table's.</summary>
    public static EncodedTensor Encoded(this ILayerEncoder encoder, float[] weights, int rows, int columns) => encoder.Encode(
        WeightMatrix.FromArray(weights, rows, columns),
        encoder.Needs == StatisticKinds.None || columns > MaxInputs ? null : Inputs(columns), CancellationToken.None);

    public static PackedTensor Packed(this ILayerEncoder encoder, float[] weights, int rows, int columns) =>
        DecodedTensor.Open(encoder.Encoded(weights, rows, columns), DType.F32, [rows, columns]);

    /// <summary>Statistics of inputs of variance 1, neighbours of which have the given correlation.</summary>
    public static LayerStatistics Inputs(int columns, double correlation = 0.5)
    {
        double[] moments = new double[columns * columns];
        for (int i = 0; i < moments.Length; i++)
        {
            moments[i] = Math.Pow(correlation, Math.Abs((i / columns) - (i % columns)));
        }

        return new() { Tokens = 1000, InputSecondMoments = moments };
    }

    public static float[] Decoded(this ILayerEncoder encoder, float[] weights, int rows, int columns)
    {
        float[] decoded = new float[weights.Length];
        encoder.Packed(weights, rows, columns).Dequantize(decoded);
        return decoded;
    }

    /// <summary>‖W − Ŵ‖² / ‖W‖².</summary>
    public static double RelativeError(this ILayerEncoder encoder, float[] weights, int rows, int columns) =>
        RelativeError(weights, encoder.Decoded(weights, rows, columns));

    public static double RelativeError(float[] weights, float[] decoded)
    {
        double error = 0, energy = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            double difference = (double)weights[i] - decoded[i];
            error += difference * difference;
            energy += (double)weights[i] * weights[i];
        }

        return energy == 0 ? error : error / energy;
    }
}
