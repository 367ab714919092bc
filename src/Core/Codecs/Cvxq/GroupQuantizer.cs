namespace Compress.Core.Codecs.Cvxq;

/// <summary>How a group is stored besides its codes: <c>weight = scale · (level + shift / 8)</c>.</summary>
/// <param name="Depth">Bits of a code.</param>
/// <param name="Shift">−8 to 7.</param>
/// <param name="Scale">Not negative.</param>
internal readonly record struct GroupForm(int Depth, int Shift, double Scale);

/// <summary>Finds scale and shift of a group with a given depth.</summary>
internal sealed class GroupQuantizer(Companding companding, bool search)
{
    // 2^(−2), 2^(−1.875), … 2^2: CVXQ's search.
    private static readonly double[] Multiples = [.. Enumerable.Range(-16, 33).Select(i => Math.ScaleB(Eighth(i & 7), i >> 3))];

    /// <summary>Scale and shift, before the scale is rounded.</summary>
    public GroupForm Fit(ReadOnlySpan<float> values, int depth)
    {
        var (mean, variance) = Moments(values);
        if (depth == 0)
        {
            return Constant(mean);
        }

        double rms = Math.Sqrt(variance + (mean * mean));
        if (!search)
        {
            return new(depth, 0, LeastSquares(values, depth, rms));
        }

        double unit = 1.5 * Math.Sqrt(2) * rms;
        var best = new GroupForm(depth, 0, unit);
        double least = double.PositiveInfinity;
        foreach (double multiple in Multiples)
        {
            Try(values, new(depth, 0, unit * multiple), ref best, ref least);
        }

        double scale = best.Scale;
        for (int shift = -8; shift < 8; shift++)
        {
            Try(values, new(depth, shift, scale), ref best, ref least);
        }

        return least < variance * values.Length ? best : Constant(mean);
    }

    /// <summary>The code of a value in that form.</summary>
    public int Code(float value, in GroupForm form) =>
        form.Scale == 0 ? 0 : companding.Code((float)((value / form.Scale) - (form.Shift * 0.125)), form.Depth);

    /// <summary>Mean and variance, summed in order.</summary>
    public static (double Mean, double Variance) Moments(ReadOnlySpan<float> values)
    {
        double sum = 0, squares = 0;
        foreach (float value in values)
        {
            sum += value;
        }

        double mean = sum / values.Length;
        foreach (float value in values)
        {
            squares += (value - mean) * (value - mean);
        }

        return (mean, squares / values.Length);
    }

    private static GroupForm Constant(double mean) => mean > 0 ? new(0, 7, mean * 8 / 7) : new(0, -8, -mean);

    private void Try(ReadOnlySpan<float> values, GroupForm form, ref GroupForm best, ref double least)
    {
        float[] levels = companding.Levels(form.Depth);
        double error = 0;
        foreach (float value in values)
        {
            double difference = value - (form.Scale * (levels[Code(value, form)] + (form.Shift * 0.125)));
            error += difference * difference;
        }

        (best, least) = error < least ? (form, error) : (best, least);
    }

    private double LeastSquares(ReadOnlySpan<float> values, int depth, double rms)
    {
        var form = new GroupForm(depth, 0, rms);
        float[] levels = companding.Levels(depth);
        double fit = 0, energy = 0;
        foreach (float value in values)
        {
            double level = levels[Code(value, form)];
            fit += value * level;
            energy += level * level;
        }

        return energy > 0 && fit > 0 ? fit / energy : 0;
    }

    // 2^(i/8) from square roots, which every CPU rounds alike.
    private static double Eighth(int i)
    {
        double root2 = Math.Sqrt(2), root4 = Math.Sqrt(root2), root8 = Math.Sqrt(root4);
        return ((i & 4) != 0 ? root2 : 1) * ((i & 2) != 0 ? root4 : 1) * ((i & 1) != 0 ? root8 : 1);
    }
}
