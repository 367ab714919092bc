using Compress.Core.Codecs.Feedback;
using Compress.Core.Numerics;

namespace Compress.Core.Codecs.Higgs;

/// <summary>
/// Rounds a group of a row that belongs to one input: weights of as many outputs. All of them have the same moment, so that feedback leaves what HIGGS does
/// without: divide by the root mean square, take the nearest points, fit the scale.
/// </summary>
/// <param name="grid">The grid.</param>
/// <param name="groupSize">Columns that share a scale.</param>
/// <param name="codes">Receives the codes of each row.</param>
/// <param name="scales">Receives the scales, <c>[rows, groups]</c>.</param>
internal sealed class HiggsGroupQuantizer(Grid grid, int groupSize, ushort[][] codes, double[] scales) : IBlockQuantizer
{
    private readonly int groups = codes.Length == 0 ? 0 : scales.Length / codes.Length;

    public int Inputs => 1;

    public int Outputs => groupSize;

    public int GroupInputs => 0;

    public void Quantize(int output, int input, ReadOnlySpan<double> target, Span<double> rounded)
    {
        rounded = rounded[..target.Length];
        rounded.Clear();
        double energy = FixedOrder.Dot(target, target), scale = Math.Sqrt(energy / target.Length);
        if (scale > 0)
        {
            for (int first = 0; first < target.Length; first += grid.P)
            {
                int count = Math.Min(grid.P, target.Length - first);
                int code = grid.Nearest(target.Slice(first, count), scale);
                codes[input][(output + first) / grid.P] = (ushort)code;
                for (int i = 0; i < count; i++)
                {
                    rounded[first + i] = grid.Points[(code * grid.P) + i];
                }
            }

            double fit = FixedOrder.Dot(target, rounded);
            scale = fit > 0 ? fit / FixedOrder.Dot(rounded, rounded) : 0;
            for (int i = 0; i < rounded.Length; i++)
            {
                rounded[i] *= scale;
            }
        }

        scales[(input * groups) + (output / groupSize)] = scale;
    }

    public void Rescale(int output, int input, double factor) => throw new NotSupportedException();
}
