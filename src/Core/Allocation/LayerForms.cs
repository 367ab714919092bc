using Compress.Core.Models;
using Compress.Runtime;

namespace Compress.Core.Allocation;

/// <summary>A form in which a layer could be stored.</summary>
/// <param name="Bytes">What it takes.</param>
/// <param name="RelativeMse">Its error t².</param>
/// <param name="Digest">What its bytes follow from.</param>
/// <param name="Open">Opens it.</param>
internal sealed record LayerForm(long Bytes, double RelativeMse, string Digest, Func<PackedTensor> Open);

/// <summary>A layer and all forms in which it could be stored.</summary>
/// <param name="Tensor">Its weights.</param>
/// <param name="WeightEnergy">‖W‖².</param>
/// <param name="Forms">The forms.</param>
internal sealed record LayerForms(SourceTensor Tensor, double WeightEnergy, IReadOnlyList<LayerForm> Forms);

/// <summary>What errors of a layer cost in one metric.</summary>
/// <param name="Sensitivity">The layer's α.</param>
/// <param name="Costs">Of each form: measured where it was probed itself, else α t². Finite, not negative.</param>
internal sealed record LayerCost(Sensitivity Sensitivity, IReadOnlyList<double> Costs)
{
    // Where costs grow in proportion to t², and are not lost in rounding.
    private const double LeastFitted = 0.002, MostFitted = 0.05;

    // In place of what a destroyed model gives: more than any that works costs.
    private const double Unbounded = 1e6;

    // Of squared errors of weights: sums of these are finite.
    private const double Most = 1e290;

    /// <summary>Costs in proportion to errors.</summary>
    public static LayerCost InProportion(double alpha, LayerForms layer) =>
        new(new(alpha, 0, false), [.. layer.Forms.Select(form => alpha == 0 || form.RelativeMse == 0 ? 0 : Math.Min(alpha * form.RelativeMse, Most))]);

    /// <summary>The forms whose cost is worth measuring itself: those that have no small error, and that no other beats in both size and error.</summary>
    public static IEnumerable<LayerForm> Probed(LayerForms layer)
    {
        var useful = layer.Forms.Where(form => form.RelativeMse > 0 && !layer.Forms.Any(other => Beats(other, form))).DistinctBy(form => form.Digest).ToList();
        var large = useful.Where(form => form.RelativeMse >= LeastFitted).ToList();
        return large.Count > 0 ? large : useful.OrderByDescending(form => form.RelativeMse).Take(1);
    }

    /// <summary>Costs from probes of a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="probes">What errors of the layer cost, and their standard errors; by the digest of the form whose error it was, or of noise.</param>
    public static LayerCost Of(LayerForms layer, IReadOnlyDictionary<string, (double RelativeMse, double Cost, double StandardError)> probes)
    {
        if (probes.Count == 0)
        {
            return InProportion(0, layer);
        }

        var sound = probes.Values.Where(probe => double.IsFinite(probe.Cost)).ToList();
        var fitted = sound.Where(probe => probe.RelativeMse is >= LeastFitted and <= MostFitted).ToList();
        fitted = fitted.Count > 0 ? fitted : [.. sound.OrderBy(probe => Math.Max(probe.RelativeMse / MostFitted, LeastFitted / probe.RelativeMse)).Take(1)];
        var sensitivity = fitted.Count > 0 ? Sensitivity.Fit(fitted) : new(Unbounded, 0, false);
        return new(sensitivity, [.. layer.Forms.Select(CostOf)]);

        double CostOf(LayerForm form)
        {
            if (form.RelativeMse == 0)
            {
                return 0;
            }

            // A form that another beats costs no less than that.
            return probes.TryGetValue(form.Digest, out var probe)
                ? Finite(probe.Cost)
                : layer.Forms.Where(other => Beats(other, form)).Select(other => probes.TryGetValue(other.Digest, out var better) ? Finite(better.Cost) : 0)
                    .Append(Finite(sensitivity.Alpha * form.RelativeMse)).Max();
        }
    }

    private static bool Beats(LayerForm one, LayerForm other) =>
        one.Bytes <= other.Bytes && one.RelativeMse <= other.RelativeMse && (one.Bytes < other.Bytes || one.RelativeMse < other.RelativeMse);

    private static double Finite(double cost) => double.IsFinite(cost) ? Math.Clamp(cost, 0, Unbounded) : Unbounded;
}
