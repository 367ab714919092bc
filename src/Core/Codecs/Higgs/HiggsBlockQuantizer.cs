using Compress.Core.Codecs.Feedback;

namespace Compress.Core.Codecs.Higgs;

/// <summary>Rounds the rotated weights of one code to a point of the grid, times the scale of their group.</summary>
/// <param name="grid">The grid.</param>
/// <param name="groupSize">Columns that share a scale.</param>
/// <param name="codes">Receives the codes of each row.</param>
/// <param name="scales">Those that codes are chosen for, <c>[rows, groups]</c>; receives the fitted ones.</param>
internal sealed class HiggsBlockQuantizer(Grid grid, int groupSize, ushort[][] codes, double[] scales) : IBlockQuantizer
{
    private readonly int groups = codes.Length == 0 ? 0 : scales.Length / codes.Length;

    public int Inputs => grid.P;

    public int Outputs => 1;

    public int GroupInputs => groupSize;

    public void Quantize(int output, int input, ReadOnlySpan<double> target, Span<double> rounded)
    {
        double scale = scales[(output * groups) + (input / groupSize)];
        int code = grid.Nearest(target, scale);
        codes[output][input / grid.P] = (ushort)code;
        for (int i = 0; i < target.Length; i++)
        {
            rounded[i] = scale * grid.Points[(code * grid.P) + i];
        }
    }

    public void Rescale(int output, int input, double factor) => scales[(output * groups) + (input / groupSize)] *= factor;
}
