using Compress.Core.Models;

namespace Compress.Core.Codecs.Uniform;

/// <summary>
/// Narrows ranges to those of least squared error: at few bits it pays to cut off the largest weights for finer steps. Tried are the
/// full range and its multiples by 0.99, 0.98, … 0.2.
/// </summary>
internal sealed class ClipSearch(Levels levels, ScaleLayout layout)
{
    private const int Candidates = 81;

    /// <summary>Replaces each range by the best of its multiples; of equally good ones the widest.</summary>
    public void Narrow(WeightMatrix weights, ValueRange[] ranges, CancellationToken cancellationToken)
    {
        double[] errors = new double[Candidates];
        RowReader.ForEach(weights, (row, values) =>
        {
            for (int group = 0; group < layout.PerRow; group++)
            {
                int index = layout.Index(row, group);
                AddErrors(values.Slice(layout.Start(group), layout.Length(group)), ranges[index], errors);
                if (layout.IsLastUse(row))
                {
                    ranges[index] = Best(ranges[index], errors);
                    Array.Clear(errors);
                }
            }
        }, cancellationToken);
    }

    private static float Factor(int candidate) => 1 - (candidate / 100f);

    private static ValueRange Best(ValueRange range, double[] errors) => range.Times(Factor(Array.IndexOf(errors, errors.Min())));

    private void AddErrors(ReadOnlySpan<float> values, ValueRange range, double[] errors)
    {
        float unit = range.Magnitude == 0 ? 1 : MathF.ScaleB(1, -Math.Clamp(Math.ILogB(range.Magnitude), -126, 126));
        for (int candidate = 0; candidate < Candidates; candidate++)
        {
            var narrowed = range.Times(unit).Times(Factor(candidate));
            float scale = levels.Scale(narrowed);
            errors[candidate] += new Lattice(unit, scale, levels.Zero(narrowed.Low, scale), levels.Last).SquaredError(values);
        }
    }
}
