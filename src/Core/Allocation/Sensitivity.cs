namespace Compress.Core.Allocation;

/// <summary>How much a layer's error costs: α of the linearity theorem (HIGGS, arXiv 2411.17525, section 3), cost = α t² for a relative error t² = ‖W − Ŵ‖² / ‖W‖².</summary>
/// <param name="Alpha">In nats per token where a language model was probed.</param>
/// <param name="StandardError">Of α: how far windows scatter, and how far probes are from a line; 0 where nothing was probed.</param>
/// <param name="Clamped">True if the probes' slope was negative, which only chance can make it: α is then 0.</param>
public readonly record struct Sensitivity(double Alpha, double StandardError, bool Clamped)
{
    /// <summary>The line through the origin that is nearest to all probes: α = Σ t² D / Σ t⁴.</summary>
    /// <param name="probes">The relative error t² of each probe, the cost D that it had, and the standard error of that. At least one.</param>
    public static Sensitivity Fit(IReadOnlyList<(double RelativeMse, double Cost, double StandardError)> probes)
    {
        double product = 0, square = 0, scatter = 0, residual = 0;
        foreach (var (mse, cost, error) in probes)
        {
            product += mse * cost;
            square += mse * mse;
            scatter += mse * error; // all probes see the same windows, so that their errors do not cancel
        }

        double alpha = product / square;
        foreach (var (mse, cost, _) in probes)
        {
            double off = cost - (alpha * mse);
            residual += off * off;
        }

        double ofLine = probes.Count < 2 ? 0 : residual / (probes.Count - 1) / square, ofWindows = scatter / square;
        return new(Math.Max(alpha, 0), Math.Sqrt(ofLine + (ofWindows * ofWindows)), alpha < 0);
    }
}
