using Compress.Core.Caching;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Runtime;

namespace Compress.Core.Allocation;

/// <summary>What the errors of all layers together were measured to cost, in nats per token.</summary>
/// <param name="Kl">The mean divergence of predictions from the source's.</param>
/// <param name="LnPerplexity">The increase of ln perplexity; NaN on random tokens.</param>
public readonly record struct JointCost(double Kl, double LnPerplexity);

/// <summary>
/// Measures whole choices: every layer in its form at once, which shows how far the errors of layers make each other worse. Results are cached by the
/// content of model, text and forms, and are the same bits on every CPU.
/// </summary>
/// <param name="source">The model.</param>
/// <param name="model">The same, to be run.</param>
/// <param name="text">What it is run on, all of it.</param>
/// <param name="cache">Where results are kept, or null.</param>
internal sealed class JointRun(ModelFile source, LanguageModel model, ProbeText text, EvaluationCache? cache)
{
    private const string Kind = "joint";

    private readonly HashSet<string> names = model.TensorNames.ToHashSet(StringComparer.Ordinal);
    private readonly string digest = cache is null ? "" : LanguageModelDigest.Of(source), textDigest = text.Digest;

    /// <summary>Measures choices.</summary>
    /// <param name="choices">Of each the forms of its layers; layers that the model does not compute with cost nothing.</param>
    /// <param name="progress">Told how many windows are done.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>A cost for each.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public JointCost[] Measure(
        IReadOnlyList<IReadOnlyList<(string Tensor, LayerForm Form)>> choices, IProgress<EvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        var known = choices.Select(choice => cache?.Find<JointCost>(Kind, Key(choice))).ToArray();
        int[] missing = [.. Enumerable.Range(0, known.Length).Where(i => known[i] is null)];
        var opened = new Dictionary<string, PackedTensor>(StringComparer.Ordinal); // most forms serve several choices
        var models = Array.ConvertAll(missing, i => Changed(choices[i], opened));
        double[] kl = new double[missing.Length], nll = new double[missing.Length];
        for (int w = 0; w < text.Windows.Count && missing.Length > 0; w++)
        {
            var window = new ProbedWindow(model, text.Windows[w]);
            for (int i = 0; i < missing.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (divergence, increase) = window.Run(models[i], firstLayer: -1);
                kl[i] += divergence;
                nll[i] += increase;
            }

            progress?.Report(new(w + 1, text.Windows.Count));
        }

        long tokens = text.Windows.Sum(window => window.Length - 1L);
        for (int i = 0; i < missing.Length; i++)
        {
            var cost = new JointCost(kl[i] / tokens, text.IsText ? nll[i] / tokens : double.NaN);
            known[missing[i]] = cost;
            cache?.Put(Kind, Key(choices[missing[i]]), cost);
        }

        return [.. known.Select(cost => cost!.Value)];
    }

    private LanguageModel Changed(IReadOnlyList<(string Tensor, LayerForm Form)> choice, Dictionary<string, PackedTensor> opened)
    {
        var changed = LanguageModel.Open(source);
        foreach (var (tensor, form) in choice.Where(layer => layer.Form.RelativeMse > 0 && names.Contains(layer.Tensor)))
        {
            if (!opened.TryGetValue(form.Digest, out var packed))
            {
                opened.Add(form.Digest, packed = form.Open());
            }

            changed.UseDequantized(tensor, packed);
        }

        return changed;
    }

    private string[] Key(IReadOnlyList<(string Tensor, LayerForm Form)> choice) =>
        [digest, textDigest, .. choice.SelectMany(layer => new[] { layer.Tensor, layer.Form.Digest })];
}
