using System.Globalization;
using Compress.Core.Caching;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Runtime.Numerics;

namespace Compress.Core.Allocation;

/// <summary>
/// Measures how much the error of each layer costs, without data: by how far the model's predictions on random tokens diverge when a layer is given
/// noise of known sizes (HIGGS, arXiv 2411.17525, section 3.3). Divergence has its least value, 0, at the source's weights for tokens of any kind.
/// </summary>
/// <param name="source">The model.</param>
/// <param name="model">The same, to be run.</param>
/// <param name="cache">Where results are kept, or null.</param>
internal sealed class Sensitivities(ModelFile source, LanguageModel model, EvaluationCache? cache)
{
    // Raised when the same layer is given another sensitivity.
    private const int Version = 1;

    // t² of the probes: where the theorem holds, and above what rounding of logits would drown.
    private static readonly double[] Sizes = [0.001, 0.002, 0.004, 0.008];

    private const int Windows = 4, WindowTokens = 128;

    private readonly string digest = LanguageModelDigest.Of(source);
    private readonly IReadOnlyList<TokenWindow> windows = RandomTokens(model);

    /// <summary>The sensitivity of a layer; cached by the content of the model and the layer's name.</summary>
    /// <param name="layer">A tensor of the model.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Sensitivity Of(string layer, CancellationToken cancellationToken)
    {
        return cache is null ? Probe() : cache.Get("sensitivity", [digest, layer, Version.ToString(CultureInfo.InvariantCulture)], Probe);

        Sensitivity Probe()
        {
            var probed = LanguageModel.Open(source);
            var probes = new List<(double, double)>();
            foreach (double size in Sizes)
            {
                probed.Use(layer, NoiseProbe.Of(source[layer], size, seed: (ulong)probes.Count));
                probes.Add((size, Evaluator.Compare(model, probed, windows, null, cancellationToken).Kl));
            }

            return Sensitivity.Fit(probes);
        }
    }

    private static List<TokenWindow> RandomTokens(LanguageModel model)
    {
        int length = Math.Min(WindowTokens, model.MaxPositions);
        return [.. Enumerable.Range(0, Windows).Select(window => new TokenWindow(
            [.. Enumerable.Range(0, length).Select(i => (int)(Signs.Word(0, (window * length) + i) % (ulong)model.VocabularySize))], 1))];
    }
}
