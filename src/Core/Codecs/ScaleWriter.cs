using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs;

/// <summary>
/// Writes scales, or other numbers, as the Runtime's ScaleTable reads them: scale = half · 2^exponent, with one exponent for the tensor that brings
/// the largest half into [2^14, 2^15). So a half's eleven bits serve weights of any magnitude, and scales down to 2^−29 of the largest.
/// </summary>
internal sealed class ScaleWriter
{
    // What the Runtime accepts: a subnormal float's unit, and the last exponent with which halves near 2^15 stay finite.
    private const int MinExponent = -149, MaxExponent = 113;

    // The last half below 2^15.
    private const float Largest = 32752;

    private readonly Half[] halves;
    private readonly float[] rounded;

    /// <param name="scales">Finite.</param>
    public ScaleWriter(ReadOnlySpan<float> scales)
    {
        float largest = scales.IsEmpty ? 0 : Math.Abs(TensorPrimitives.MaxMagnitude(scales));
        Exponent = largest == 0 ? 0 : Math.Clamp(Math.ILogB(largest) - 14, MinExponent, MaxExponent);
        double unit = Math.ScaleB(1, -Exponent);
        rounded = new float[scales.Length];
        for (int i = 0; i < rounded.Length; i++)
        {
            // The product is exact, and so is its float unless it is too small for a half.
            rounded[i] = Math.Clamp((float)(scales[i] * unit), -Largest, Largest);
        }

        halves = new Half[scales.Length];
        TensorPrimitives.ConvertToHalf(rounded, halves);
        TensorPrimitives.ConvertToSingle(halves, rounded);
    }

    /// <summary>The tensor's exponent: 0 if all scales are zero.</summary>
    public int Exponent { get; }

    /// <summary>The values of the stored halves: the scales as they will be read, over 2^<see cref="Exponent"/>.</summary>
    public ReadOnlySpan<float> Rounded => rounded;

    /// <summary>The stored array.</summary>
    /// <param name="parameters">Receives <c>scaleExponent</c>.</param>
    /// <param name="shape">The dimensions of the array.</param>
    public EncodedPart Write(JsonObject parameters, params long[] shape) => Write(parameters, "scales", "scaleExponent", shape);

    /// <summary>The stored array, of numbers that are no scales.</summary>
    /// <param name="parameters">Receives the exponent.</param>
    /// <param name="part">The array's name.</param>
    /// <param name="exponent">The exponent's.</param>
    /// <param name="shape">The dimensions of the array.</param>
    public EncodedPart Write(JsonObject parameters, string part, string exponent, params long[] shape)
    {
        parameters[exponent] = Exponent;
        byte[] bytes = new byte[2 * halves.Length];
        for (int i = 0; i < halves.Length; i++)
        {
            BinaryPrimitives.WriteHalfLittleEndian(bytes.AsSpan(2 * i), halves[i]);
        }

        return new(part, DType.F16, shape, bytes);
    }
}
