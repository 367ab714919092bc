namespace Compress.Core.Allocation;

/// <summary>How much a layer's error costs: α of the linearity theorem (HIGGS, arXiv 2411.17525, section 3), cost = α t² for a relative error t² = ‖W − Ŵ‖² / ‖W‖².</summary>
/// <param name="Alpha">In nats per token where a language model was probed; ‖W‖², else.</param>
/// <param name="StandardError">Of α, from how far the probes are from a line; 0 where nothing was probed.</param>
/// <param name="Clamped">True if the probes' slope was negative, which only noise can make it: α is then 0.</param>
public readonly record struct Sensitivity(double Alpha, double StandardError, bool Clamped)
{
    /// <summary>The line through the origin that is nearest to all probes: α = Σ t² D / Σ t⁴.</summary>
    /// <param name="probes">The relative error t² of each probe, and the divergence D that it caused.</param>
    public static Sensitivity Fit(IReadOnlyList<(double RelativeMse, double Divergence)> probes)
    {
        double product = 0, square = 0;
        foreach (var (mse, divergence) in probes)
        {
            product += mse * divergence;
            square += mse * mse;
        }

        double alpha = product / square, residual = 0;
        foreach (var (mse, divergence) in probes)
        {
            double off = divergence - (alpha * mse);
            residual += off * off;
        }

        double error = probes.Count < 2 ? 0 : Math.Sqrt(residual / (probes.Count - 1) / square);
        return new(Math.Max(alpha, 0), error, alpha < 0);
    }
}
