using Compress.Core.Codecs.Feedback;

namespace Compress.Core.Codecs.Uniform;

/// <summary>Rounds single weights to the levels of their scale.</summary>
/// <param name="levels">The levels.</param>
/// <param name="layout">Which are whose.</param>
/// <param name="codes">Receives the codes of each stored row.</param>
/// <param name="transposed">True if a stored row is an input.</param>
internal readonly struct LatticeQuantizer(StoredLevels levels, ScaleLayout layout, byte[][] codes, bool transposed) : IBlockQuantizer
{
    public int Inputs => 1;

    public int Outputs => 1;

    public int GroupInputs => 0;

    public void Quantize(int output, int input, ReadOnlySpan<double> target, Span<double> rounded)
    {
        var (row, column) = transposed ? (input, output) : (output, input);
        ref readonly var lattice = ref levels.Lattices[layout.Index(row, layout.GroupOf(column))];
        codes[row][column] = lattice.Quantize((float)target[0], out rounded[0]);
    }

    public void Rescale(int output, int input, double factor) => throw new NotSupportedException();
}
