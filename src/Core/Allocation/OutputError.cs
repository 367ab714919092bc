using Compress.Core.Models;
using Compress.Core.Numerics;
using Compress.Runtime;
using Compress.Runtime.Kernels;

namespace Compress.Core.Allocation;

/// <summary>
/// Squared errors of a layer's outputs, E ‖dW x‖² = tr(dW H dWᵀ) with H = E[x xᵀ]: what error feedback makes small, at the price of larger errors of weights.
/// </summary>
internal static class OutputError
{
    // Enough to tell forms apart; all rows of a large layer would take as long as to encode it with feedback.
    private const int MaxOutputs = 256;

    /// <summary>The error of a form, from outputs that are spread evenly over the layer.</summary>
    /// <param name="tensor">The weights, [out, in], or [in, out] if <paramref name="transposed"/>.</param>
    /// <param name="packed">The form.</param>
    /// <param name="moments">H, [in, in].</param>
    /// <param name="transposed">How the weights are stored.</param>
    public static double Of(SourceTensor tensor, PackedTensor packed, double[] moments, bool transposed)
    {
        int inputs = transposed ? tensor.Rows : tensor.Columns, outputs = transposed ? tensor.Columns : tensor.Rows, count = Math.Min(outputs, MaxOutputs);
        float[] errors = new float[count * inputs], products = new float[count * inputs];
        float[] weights = new float[tensor.Columns], row = new float[tensor.Columns];
        for (int i = 0; i < (transposed ? inputs : count); i++)
        {
            int at = transposed ? i : Output(i);
            tensor.ReadRows(at, 1, weights);
            packed.DequantizeRows(at, 1, row);
            for (int k = 0; k < (transposed ? count : inputs); k++)
            {
                int column = transposed ? Output(k) : k;
                errors[transposed ? (k * inputs) + i : (i * inputs) + k] = row[column] - weights[column];
            }
        }

        tensor.ReleasePages();
        BatchProduct.MultiplyTiles(Kernel.Fused, new FloatRows(Array.ConvertAll(moments, moment => (float)moment), inputs), errors, products, count);
        double sum = 0;
        for (int i = 0; i < errors.Length; i++)
        {
            sum += (double)errors[i] * products[i];
        }

        return Math.Max(sum, 0) * outputs / Math.Max(count, 1);

        int Output(int index) => (int)((long)index * outputs / count);
    }
}
