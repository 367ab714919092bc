using System.Text.Json.Nodes;
using Compress.Core.Models;
using Compress.Runtime.Codecs.Cvxq;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.Cvxq;

/// <summary>
/// What products with a quantized matrix lack on average, stored for them to add it: b = (W − Ŵ) E[x], a half for each output
/// (Young, arXiv 2409.02026).
/// </summary>
internal static class BiasCorrection
{
    // 16 MiB: rows of a cluster lie scattered, and are unpacked together.
    private const int FloatsAtOnce = 1 << 22;

    /// <summary>
    /// The greatest ‖W − Ŵ‖² / ‖W‖² with which it is given unasked. Means are those of the source; where all layers are off by more, the compressed model's inputs have others, and the correction does harm:
    /// docs/codecs/cvxq.md.
    /// </summary>
    public const double MaxError = 0.1;

    /// <summary>An encoded matrix with its correction, or without it where the error is beyond a limit.</summary>
    /// <param name="encoded">The matrix.</param>
    /// <param name="weights">What it was made of, <c>[out, in]</c>.</param>
    /// <param name="means">E[x], <c>[in]</c>.</param>
    /// <param name="maxError">The limit of ‖W − Ŵ‖² / ‖W‖².</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static EncodedTensor Add(EncodedTensor encoded, WeightMatrix weights, double[] means, double maxError, CancellationToken cancellationToken)
    {
        double energy = 0, lost = 0;
        var decoded = DecodedTensor.Open(encoded, DType.F32, [weights.Rows, weights.Columns]);
        int columns = weights.Columns, atOnce = Math.Clamp(FloatsAtOnce / Math.Max(columns, 1), 1, Math.Max(weights.Rows, 1));
        float[] exact = new float[atOnce * columns], approximation = new float[atOnce * columns], bias = new float[weights.Rows];
        for (int first = 0; first < weights.Rows; first += atOnce)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = Math.Min(atOnce, weights.Rows - first);
            weights.ReadRows(first, count, exact);
            decoded.DequantizeRows(first, count, approximation);
            for (int row = 0; row < count; row++)
            {
                double sum = 0;
                for (int column = 0; column < columns; column++)
                {
                    int index = (row * columns) + column;
                    double error = (double)exact[index] - approximation[index];
                    sum += error * means[column];
                    lost += error * error;
                    energy += (double)exact[index] * exact[index];
                }

                bias[first + row] = (float)Math.Clamp(sum, -float.MaxValue, float.MaxValue);
            }
        }

        if (lost > maxError * energy)
        {
            return encoded;
        }

        var parameters = (JsonObject)encoded.Parameters.DeepClone();
        var part = new ScaleWriter(bias).Write(parameters, CvxqTensor.BiasPart, CvxqTensor.BiasExponent, weights.Rows);
        return encoded with { Parameters = parameters, Parts = [.. encoded.Parts, part] };
    }
}
