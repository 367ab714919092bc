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
    /// <summary>An encoded matrix with its correction.</summary>
    /// <param name="encoded">The matrix.</param>
    /// <param name="weights">What it was made of, <c>[out, in]</c>.</param>
    /// <param name="means">E[x], <c>[in]</c>.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static EncodedTensor Add(EncodedTensor encoded, WeightMatrix weights, double[] means, CancellationToken cancellationToken)
    {
        var decoded = DecodedTensor.Open(encoded, DType.F32, [weights.Rows, weights.Columns]);
        float[] approximation = new float[weights.Columns], bias = new float[weights.Rows];
        RowReader.ForEach(weights, (row, values) =>
        {
            decoded.DequantizeRows(row, 1, approximation);
            double sum = 0;
            for (int column = 0; column < values.Length; column++)
            {
                sum += ((double)values[column] - approximation[column]) * means[column];
            }

            bias[row] = (float)Math.Clamp(sum, -float.MaxValue, float.MaxValue);
        }, cancellationToken);
        var parameters = (JsonObject)encoded.Parameters.DeepClone();
        var part = new ScaleWriter(bias).Write(parameters, CvxqTensor.BiasPart, CvxqTensor.BiasExponent, weights.Rows);
        return encoded with { Parameters = parameters, Parts = [.. encoded.Parts, part] };
    }
}
