using System.Globalization;
using Compress.Core.Codecs.Higgs;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Numerics;

namespace Compress.Bench;

/// <summary>
/// What the rotation of HIGGS makes of real weights: their kurtosis, and the error of one grid, without it and with it. In all of these each group of a row is
/// divided by its root mean square first, as HIGGS does; a normal distribution has kurtosis 3.
/// </summary>
internal static class RotationBench
{
    private const int GroupSize = 1024, GridPoints = 16;

    public static void Run(string[] args)
    {
        string[] folders = [.. args.TakeWhile(arg => !arg.StartsWith("--", StringComparison.Ordinal))];
        if (folders.Length == 0)
        {
            throw new ArgumentException("usage: rotation MODEL_FOLDER… [--out DIR]");
        }

        var report = new BenchReport("rotation", args);
        report.Line("Weights, each group divided by its root mean square, without and with the random rotation (groups of 1024). Kurtosis, 3 for a normal distribution: the median of all matrices, and the largest. "
            + "Relative mean squared error of the grid p = 1, n = 16, whose error for normal weights is 0.009501: the median, and the largest.");
        report.Line();
        report.Line("| model | matrices | kurtosis | largest | rotated | largest | error | largest | rotated | largest |");
        report.Line("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        foreach (string folder in folders)
        {
            using var model = ModelFile.Open(folder);
            var matrices = model.Tensors.Where(tensor => tensor.Shape.Count == 2 && tensor.Rows > 1).Select(tensor => Measure(tensor, tensor.Rows, tensor.Columns)).ToList();
            report.Line(Row(Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)), matrices));
        }

        (string Name, float[] Weights)[] drawn =
        [
            ("normal", RandomWeights.Gaussian(1 << 20)), ("Laplace", RandomWeights.Laplace(1 << 20)),
            ("Student t, 5", RandomWeights.StudentT5(1 << 20)), ("lognormal mixture", RandomWeights.LognormalMixture(1 << 20)),
        ];
        foreach (var (name, weights) in drawn)
        {
            report.Line(Row($"*{name}, 1024 × 1024*", [Measure(WeightMatrix.FromArray(weights, 1024, 1024), 1024, 1024)]));
        }

        report.Save();
    }

    private static string Row(string name, List<(Form Plain, Form Rotated)> matrices)
    {
        string[] cells = [name, matrices.Count.ToString(CultureInfo.InvariantCulture), .. Pair(m => m.Plain.Kurtosis, "F2"), .. Pair(m => m.Rotated.Kurtosis, "F2"), .. Pair(m => m.Plain.Error, "F5"), .. Pair(m => m.Rotated.Error, "F5")];
        return $"| {string.Join(" | ", cells)} |";

        string[] Pair(Func<(Form Plain, Form Rotated), double> value, string format)
        {
            double[] all = [.. matrices.Select(value).Order()];
            return [all[all.Length / 2].ToString(format, CultureInfo.InvariantCulture), all[^1].ToString(format, CultureInfo.InvariantCulture)];
        }
    }

    private static (Form Plain, Form Rotated) Measure(WeightMatrix matrix, int rows, int columns)
    {
        var rotation = new Rotation(columns, GroupSize, seed: 0);
        var (plain, rotated) = (new Form(), new Form());
        float[] row = new float[columns];
        for (int r = 0; r < rows; r++)
        {
            matrix.ReadRows(r, 1, row);
            plain.Add(row);
            rotation.Apply(row);
            rotated.Add(row);
        }

        return (plain, rotated);
    }

    /// <summary>Sums over a matrix.</summary>
    private sealed class Form
    {
        private readonly Grid grid = Grid.Get(1, GridPoints);
        private double fourth, count, error, energy;

        public double Kurtosis => fourth / count;

        public double Error => error / energy;

        public void Add(ReadOnlySpan<float> row)
        {
            Span<float> values = new float[GroupSize], points = new float[GroupSize];
            Span<ushort> codes = new ushort[GroupSize];
            for (int start = 0; start < row.Length; start += GroupSize)
            {
                var group = row[start..Math.Min(start + GroupSize, row.Length)];
                double squares = 0;
                foreach (float value in group)
                {
                    squares += (double)value * value;
                }

                if (squares == 0)
                {
                    continue;
                }

                values.Clear();
                group.CopyTo(values);
                grid.Search.Nearest(values, (float)Math.Sqrt(group.Length / squares), codes, points);
                double fit = 0, fitted = 0;
                for (int i = 0; i < group.Length; i++)
                {
                    double square = (double)group[i] * group[i] * group.Length / squares;
                    fourth += square * square;
                    (fit, fitted) = (fit + ((double)group[i] * points[i]), fitted + ((double)points[i] * points[i]));
                }

                // With the best scale for the points: ‖v‖² − ⟨v, c⟩² / ⟨c, c⟩.
                (count, energy, error) = (count + group.Length, energy + squares, error + squares - (fit * fit / fitted));
            }
        }
    }
}
