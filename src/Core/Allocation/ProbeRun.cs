using System.Globalization;
using Compress.Core.Caching;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Blocks;
using Compress.Core.Models;

namespace Compress.Core.Allocation;

/// <summary>
/// Measures probes: each tensor alone has an error, all others are as in the source. Window after window, until a probe's cost is known well enough or
/// there are no more; each result is cached by the content of model and text.
/// </summary>
/// <param name="source">The model.</param>
/// <param name="model">The same, to be run.</param>
/// <param name="text">What it is run on.</param>
/// <param name="settings">When a cost is known well enough.</param>
/// <param name="cache">Where results are kept, or null.</param>
internal sealed class ProbeRun(ModelFile source, LanguageModel model, ProbeText text, SensitivitySettings settings, EvaluationCache? cache)
{
    // Raised when the same probe is given another cost.
    private const int Version = 2;

    // Fewer say too little of how they scatter.
    private const int LeastWindows = 4;

    private readonly string digest = cache is null ? "" : LanguageModelDigest.Of(source);
    private readonly string textDigest = text.Digest;
    private readonly Dictionary<string, int> firstLayers = FirstLayers(model.Decoder);

    /// <summary>Measures probes of any tensors that the model computes with.</summary>
    /// <param name="probes">The probes.</param>
    /// <param name="progress">Told how many windows are done.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>A cost for each.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ProbeCost[] Measure(IReadOnlyList<Probe> probes, IProgress<EvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        var costs = new ProbeCost?[probes.Count];
        for (int i = 0; i < probes.Count; i++)
        {
            costs[i] = cache?.Find<ProbeCost>("probe", Key(probes[i]));
        }

        var active = Enumerable.Range(0, probes.Count).Where(i => costs[i] is null).ToDictionary(i => i, _ => new WindowSums());
        var changed = LanguageModel.Open(source);
        for (int w = 0; w < text.Windows.Count && active.Count > 0; w++)
        {
            var window = new ProbedWindow(model, text.Windows[w]);
            foreach (var (i, sums) in active.OrderBy(pair => pair.Key).ToList())
            {
                cancellationToken.ThrowIfCancellationRequested();
                Add(window, probes[i], changed, sums);
                var cost = sums.Result(probes[i].RelativeMse);
                if (w == text.Windows.Count - 1 || (sums.Count >= LeastWindows && IsKnown(cost)))
                {
                    costs[i] = cost;
                    active.Remove(i);
                    cache?.Put("probe", Key(probes[i]), cost);
                }
            }

            progress?.Report(new(w + 1, text.Windows.Count));
        }

        return [.. costs.Select(cost => cost!.Value)];
    }

    /// <summary>The first layer of a decoder that computes with each tensor; what is not named is used before all of them.</summary>
    private static Dictionary<string, int> FirstLayers(Decoder decoder)
    {
        var first = new Dictionary<string, int>(StringComparer.Ordinal) { [decoder.TokenEmbedding.Name] = -1 };
        foreach (var (stage, groups) in decoder.Stages.Index())
        {
            foreach (var linear in groups.SelectMany(group => group.Layers))
            {
                first.TryAdd(linear.Name, Math.Min(stage - 1, decoder.Layers.Count));
            }
        }

        return first;
    }

    private void Add(ProbedWindow window, Probe probe, LanguageModel changed, WindowSums sums)
    {
        int firstLayer = firstLayers.GetValueOrDefault(probe.Tensor, -1);
        changed.UseValues(probe.Tensor, probe.Changed(mirrored: false));
        var (kl, nll) = window.Run(changed, firstLayer);
        if (text.IsText)
        {
            changed.UseValues(probe.Tensor, probe.Changed(mirrored: true));
            nll = (nll + window.Run(changed, firstLayer).Nll) / 2;
        }

        changed.Use(probe.Tensor, null);
        sums.Add(kl, text.IsText ? nll : double.NaN, window.Count);
    }

    private bool IsKnown(ProbeCost cost) => settings.Metric == SensitivityMetric.Kl
        ? cost.KlError <= settings.StandardError * cost.Kl
        : cost.LnPerplexityError <= settings.StandardError * Math.Abs(cost.LnPerplexity);

    private string[] Key(Probe probe) =>
    [
        digest, probe.Tensor, probe.Digest, textDigest, settings.Metric.ToString(),
        settings.StandardError.ToString("R", CultureInfo.InvariantCulture), Version.ToString(CultureInfo.InvariantCulture),
    ];
}
