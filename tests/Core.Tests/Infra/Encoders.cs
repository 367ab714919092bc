using Compress.Core.Codecs;
using Compress.Core.Models;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Infra;

/// <summary>Encodes matrices and opens the result with the Runtime.</summary>
internal static class Encoders
{
    public static ILayerEncoder Of(string codec, params (string Name, object Value)[] settings) => Of(codec, 0, settings);

    public static ILayerEncoder Of(string codec, ulong seed, params (string Name, object Value)[] settings)
    {
        var method = CodecTable.Find(codec)!;
        return method.Configure(new SettingValues(method.Settings, settings.ToDictionary(s => s.Name, s => s.Value)), seed);
    }

    public static PackedTensor Packed(this ILayerEncoder encoder, float[] weights, int rows, int columns)
    {
        var encoded = encoder.Encode(WeightMatrix.FromArray(weights, rows, columns), null, CancellationToken.None);
        return DecodedTensor.Open(encoded, DType.F32, [rows, columns]);
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
