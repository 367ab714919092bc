using System.Globalization;
using Compress.Core.Models;
using Compress.Runtime;
using Compress.Runtime.Numerics;

namespace Compress.Core.Allocation;

/// <summary>An error given to one tensor, to measure what it costs.</summary>
/// <param name="tensor">The tensor.</param>
/// <param name="relativeMse">The error's size t² = ‖E‖² / ‖W‖².</param>
/// <param name="digest">What the error follows from, besides the tensor.</param>
internal abstract class Probe(SourceTensor tensor, double relativeMse, string digest)
{
    /// <summary>The tensor's name.</summary>
    public string Tensor => tensor.Name;

    /// <summary>t².</summary>
    public double RelativeMse => relativeMse;

    /// <summary>What the error follows from, besides the tensor.</summary>
    public string Digest => digest;

    /// <summary>Values of a row of the tensor.</summary>
    protected int Columns => tensor.Columns;

    /// <summary>
    /// The tensor with the error E, or with −E. The mean of both has no part of the first order in E, which is chance: so it shows how much the loss
    /// on a text curves, however small E is (antithetic variates).
    /// </summary>
    public float[] Changed(bool mirrored)
    {
        float[] values = new float[checked(tensor.Rows * tensor.Columns)], error = new float[values.Length];
        tensor.ReadRows(0, tensor.Rows, values);
        Error(values, error);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] += mirrored ? -error[i] : error[i];
        }

        tensor.ReleasePages();
        return values;
    }

    /// <summary>Computes E.</summary>
    /// <param name="weights">The tensor's values.</param>
    /// <param name="error">Receives E.</param>
    protected abstract void Error(ReadOnlySpan<float> weights, Span<float> error);
}

/// <summary>A quantizer's own error.</summary>
internal sealed class GridProbe(SourceTensor tensor, double relativeMse, string digest, Func<PackedTensor> open) : Probe(tensor, relativeMse, digest)
{
    protected override void Error(ReadOnlySpan<float> weights, Span<float> error)
    {
        var packed = open();
        packed.DequantizeRows(0, packed.Rows, error);
        for (int i = 0; i < error.Length; i++)
        {
            error[i] -= weights[i];
        }
    }
}

/// <summary>
/// Random noise in place of a quantizer's error. Each row's is in proportion to the row, as is the error of all methods that give rows, or parts of
/// them, scales: even noise overstates the cost of matrices whose rows differ, threefold for the keys of a small model.
/// </summary>
internal sealed class NoiseProbe(SourceTensor tensor, double relativeMse, ulong seed)
    : Probe(tensor, relativeMse, string.Create(CultureInfo.InvariantCulture, $"noise t2={relativeMse:R} seed={seed}"))
{
    protected override void Error(ReadOnlySpan<float> weights, Span<float> error)
    {
        int columns = Columns;
        for (int row = 0; row * columns < weights.Length; row++)
        {
            double energy = 0;
            foreach (float weight in weights.Slice(row * columns, columns))
            {
                energy += (double)weight * weight;
            }

            double size = Math.Sqrt(RelativeMse * energy / columns);
            for (int i = row * columns; i < (row + 1) * columns; i++)
            {
                error[i] = (float)(size * Normal(Signs.Word(seed, i)));
            }
        }
    }

    // Nearly normal, of variance 1: the sum of four uniform numbers.
    private static double Normal(ulong word)
    {
        double sum = -2;
        for (int part = 0; part < 4; part++, word >>= 16)
        {
            sum += ((word & 0xFFFF) + 0.5) / 65536;
        }

        return sum * 1.7320508075688772;
    }
}
