using System.Collections.Concurrent;
using System.Globalization;
using Compress.Core.Caching;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Blocks;
using Compress.Core.Models;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Calibration;

/// <summary>Statistics that are computed by running a language model on a text. Each is kept in the layer cache.</summary>
internal sealed partial class TextStatistics : IStatisticsSource
{
    /// <summary>In the words for a layer's key, before the digest of the compression that gradients were taken at.</summary>
    public const string QuantizedWord = " quantized=";

    private static readonly TimeSpan WaitInterval = TimeSpan.FromMilliseconds(50);

    private readonly ModelFile source;
    private readonly LayerStore? store;
    private readonly CalibrationSettings settings;
    private readonly string? recipeFile;
    private readonly DiagnosticBag diagnostics;
    private readonly Func<LanguageModel> open;
    private readonly CalibrationText text;
    private readonly TextStatistics? unquantized;
    private readonly string quantized = "";
    private readonly LayersOfAModel layers;
    private readonly ConcurrentDictionary<string, StatisticEntry> found = new(StringComparer.Ordinal); // by digest
    private readonly ConcurrentDictionary<string, (long Tokens, long Skipped)> skips = new(StringComparer.Ordinal), gradientSkips = new(StringComparer.Ordinal); // by owner
    private readonly Lock computing = new();
    private LanguageModel? model;
    private string? digest;

    /// <param name="source">The model; must stay open.</param>
    /// <param name="settings">The text.</param>
    /// <param name="recipeFile">The recipe that names it, or null.</param>
    /// <param name="store">Where statistics are kept; null where only keys are asked for.</param>
    /// <param name="diagnostics">Receives warnings.</param>
    /// <exception cref="CompressException">The model cannot be run, or the text does not fit it.</exception>
    public TextStatistics(ModelFile source, CalibrationSettings settings, string? recipeFile, LayerStore? store, DiagnosticBag diagnostics)
    {
        (this.source, this.settings, this.recipeFile, this.store, this.diagnostics) = (source, settings, recipeFile, store, diagnostics);
        string folder = Path.GetDirectoryName(source.Header.Files[0])!;
        try
        {
            open = () => LanguageModel.Open(source);
            var all = CalibrationText.Read(settings, folder, Model);
            text = settings.Rounds == 1 ? all : all.WithHeldOut() ?? throw TextTokens.NothingToPredict(settings.Text);
        }
        catch (CompressException exception)
        {
            throw AtItsPlace(exception);
        }

        Files = [.. text.Files, Path.Combine(folder, "config.json")];
        layers = new(Model, source);
    }

    // Gradients at what a compression made of the model; all else is the unquantized model's.
    private TextStatistics(TextStatistics unquantized, string quantized, Action<LanguageModel> quantize)
    {
        (source, settings, recipeFile, store, diagnostics) = (unquantized.source, unquantized.settings, unquantized.recipeFile, unquantized.store, unquantized.diagnostics);
        (text, layers, Files, this.unquantized, this.quantized) = (unquantized.text, unquantized.layers, unquantized.Files, unquantized, quantized);
        open = () =>
        {
            var other = LanguageModel.Open(source);
            quantize(other);
            return other;
        };
    }

    /// <summary>How often the recipe wants gradients taken.</summary>
    public int Rounds => settings.Rounds;

    /// <summary>Predictions in the windows that are held out.</summary>
    public long HeldOutTokens => text.HeldOut.Sum(window => window.Length - 1L);

    private LanguageModel Model => model ??= open();

    /// <summary>Statistics with the gradients at what a compression made of the model, and with all else as it is here.</summary>
    /// <param name="digest">Of all that was made.</param>
    /// <param name="quantize">Makes a model take what was made; may be called until this is disposed.</param>
    public TextStatistics At(string digest, Action<LanguageModel> quantize) => new(unquantized ?? this, digest, quantize);

    /// <summary>The mean divergence of what the compression made from the source, on windows that no statistics are of, in nats per token.</summary>
    /// <param name="evaluations">Where it is kept; may be null.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public double HeldOutDivergence(EvaluationCache? evaluations, CancellationToken cancellationToken)
    {
        string[] digests = [ModelDigest, quantized, text.Description];
        return evaluations is null ? Measure() : evaluations.Get("heldOutDivergence", digests, Measure);

        double Measure() =>
            Evaluator.Compare(unquantized!.Model, Model, [.. text.HeldOut.Select(window => new TokenWindow(window, 1))], null, cancellationToken).Kl;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The model's layers.</summary>
    public LayersOfAModel Layers => layers;

    /// <summary>The digest of the model.</summary>
    public string ModelDigest => unquantized?.ModelDigest ?? (digest ??= LanguageModelDigest.Of(source));

    /// <summary>Tokens in all windows.</summary>
    public int Tokens => text.Tokens;

    /// <summary>What the windows of tokens follow from.</summary>
    public string TextDescription => text.Description;

    /// <inheritdoc/>
    public void Check(IReadOnlyCollection<StatisticNeed> needs)
    {
        foreach (var need in needs.Where(need => layers.Contains(need.Tensor)))
        {
            foreach (var (kind, statistic) in StatisticNames.Of(need.Kinds).Where(row => !StatisticEntry.Fits(layers.Shape(row.Kind, need.Tensor))))
            {
                throw new CompressException(Error(
                    Codes.ModelTensorTooLarge, Severity.Error,
                    $"'{statistic}' of layer {Quote.Name(need.Tensor)} is {Quote.Shape(layers.Shape(kind, need.Tensor))}; a statistic may take 2 GiB. Keep the layer, or give it a method that does not need it"));
            }
        }

        var widths = needs.Where(need => need.Kinds.HasFlag(StatisticKinds.InputSecondMoments) && layers.Contains(need.Tensor))
            .Select(need => (need.Tensor, Width: layers[need.Tensor].Inputs)).ToList();
        if (widths.Count == 0)
        {
            return;
        }

        var (name, widest) = widths.MaxBy(layer => layer.Width);
        int wider = widths.Count(layer => layer.Width > text.Tokens);
        if (wider > 0)
        {
            diagnostics.Add(Error(
                Codes.CalibrationTooLittle,
                Severity.Warning,
                string.Create(CultureInfo.InvariantCulture,
                    $"the calibration text gives {text.Tokens} tokens, fewer than {wider} of {widths.Count} layers have inputs ({Quote.Name(name)} has {widest}): ")
                + "in directions that the text never shows, their weights are rounded as if they did not matter; give more text, or more 'tokens'"));
        }
    }

    /// <inheritdoc/>
    public string Describe(StatisticNeed need) =>
        layers.Contains(need.Tensor)
        ? StatisticEntry.Describe(need, ModelDigest, layers.Owner(StatisticKinds.InputMeans, need.Tensor), text.Description) + RoundWords(need.Kinds)
        : "";

    /// <inheritdoc/>
    public void Prepare(IReadOnlyCollection<StatisticNeed> needs, IProgress<CalibrationProgress>? progress, CancellationToken cancellationToken)
    {
        if (Missing(needs, store!.Contains).Count > 0)
        {
            Compute(needs, progress, cancellationToken);
        }
    }

    private string RoundWords(StatisticKinds kinds) => Rounds == 1 || (kinds & StatisticNames.OfGradients) == StatisticKinds.None
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $" rounds={Rounds}{(unquantized is null ? "" : QuantizedWord + quantized)}");

    private void Compute(IReadOnlyCollection<StatisticNeed> needs, IProgress<CalibrationProgress>? progress, CancellationToken cancellationToken)
    {
        if (unquantized is not null)
        {
            unquantized.Prepare([.. needs.Select(need => need with { Kinds = need.Kinds & ~StatisticNames.OfGradients })], progress, cancellationToken);
        }

        lock (computing)
        {
            // One process computes; the others wait, and find everything there.
            IDisposable? turn;
            string run = LayerKey.DigestOf(["calibration", ModelDigest, quantized, text.Description]);
            while (!store!.TryLock(run, out turn))
            {
                cancellationToken.WaitHandle.WaitOne(WaitInterval);
                cancellationToken.ThrowIfCancellationRequested();
            }

            using (turn)
            {
                var missing = Missing(needs, key => StatisticEntry.Read(store!, key) is not null);
                if (missing.Values.Any(kinds => (kinds & ~StatisticNames.OfGradients) != StatisticKinds.None))
                {
                    new Calibrator(Model, text.Windows).Run(
                        group => missing.GetValueOrDefault(group.First.Name) & StatisticNames.OfInputs,
                        (group, moments) => Keep(group, moments, missing[group.First.Name] & StatisticNames.OfInputs),
                        layer => missing.GetValueOrDefault(layer.Name).HasFlag(StatisticKinds.OutputCovariance),
                        Keep,
                        progress,
                        cancellationToken);
                }

                List<(Linear, StatisticKinds)> gradients =
                    [.. layers.All.Select(layer => (layer, missing.GetValueOrDefault(layer.Name) & StatisticNames.OfGradients)).Where(pair => pair.Item2 != StatisticKinds.None)];
                new GradientCalibrator(Model, text.Windows).Run(gradients, Keep, progress, cancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    public LayerStatistics? Read(StatisticNeed need, CancellationToken cancellationToken)
    {
        if (!layers.Contains(need.Tensor))
        {
            return null;
        }

        return Whole(
            need,
            entries => new LayerStatistics
            {
                Tokens = entries.Values.FirstOrDefault()?.Tokens ?? text.Tokens,
                Transposed = layers[need.Tensor].Transposed,
                IsOwnHead = layers.IsOwnHead(need.Tensor),
                InputSecondMoments = entries.GetValueOrDefault(StatisticKinds.InputSecondMoments)?.Values(),
                InputMeans = entries.GetValueOrDefault(StatisticKinds.InputMeans)?.Values(),
                OutputCovariance = entries.GetValueOrDefault(StatisticKinds.OutputCovariance)?.Values(),
                SquaredGradients = entries.GetValueOrDefault(StatisticKinds.SquaredGradients)?.Values(),
                HiddenGradients = entries.GetValueOrDefault(StatisticKinds.HiddenGradients)?.Values(),
                OutputGradients = entries.GetValueOrDefault(StatisticKinds.OutputGradients)?.Values(),
            },
            cancellationToken);
    }

    /// <summary>One statistic of a layer, to copy it to a file; null if the layer has none of that kind.</summary>
    public StatisticEntry? Entry(string layer, StatisticKinds kind, CancellationToken cancellationToken) =>
        Whole(new(layer, kind), entries => entries.GetValueOrDefault(kind), cancellationToken);

    /// <inheritdoc/>
    public void Report()
    {
        var some = skips.Where(pair => pair.Value.Skipped > 0).OrderBy(pair => pair.Key, StringComparer.Ordinal).ToList();
        if (some.Count > 0)
        {
            var (name, (tokens, skipped)) = some.MaxBy(pair => pair.Value.Skipped);
            diagnostics.Add(Error(
                Codes.CalibrationNonFinite,
                Severity.Warning,
                string.Create(CultureInfo.InvariantCulture,
                    $"in the inputs of {some.Count} of {skips.Count} layers, tokens had values that are not finite, or beyond 1e18, and were left out; ")
                + string.Create(CultureInfo.InvariantCulture, $"most in {Quote.Name(name)}: {skipped} of {tokens + skipped} tokens; does the model work in 32-bit floats?")));
        }

        int passes = gradientSkips.Count(pair => pair.Value.Skipped > 0);
        if (passes > 0)
        {
            diagnostics.Add(Error(
                Codes.CalibrationNonFinite,
                Severity.Warning,
                string.Create(CultureInfo.InvariantCulture,
                    $"the gradients of {passes} of {gradientSkips.Count} layers were not finite in some backward passes, which were left out; does the model work in 32-bit floats?")));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => CloseModel();

    /// <summary>Gives up the model's memory. It is opened again if it is needed. Nothing else may be running.</summary>
    public void CloseModel()
    {
        model?.Dispose();
        model = null;
    }

    // Reads a layer's statistics; those that somebody removed meanwhile are computed again.
    private T Whole<T>(StatisticNeed need, Func<Dictionary<StatisticKinds, StatisticEntry>, T> read, CancellationToken cancellationToken)
    {
        while (true)
        {
            var entries = new Dictionary<StatisticKinds, StatisticEntry>();
            var kinds = StatisticNames.Of(need.Kinds).Where(row => layers.Has(row.Kind, need.Tensor)).ToList();
            foreach (var (kind, name) in kinds)
            {
                if (Find(Key(name, kind, need.Tensor)) is { } entry)
                {
                    entries.Add(kind, entry);
                    var of = StatisticNames.OfGradients.HasFlag(kind) ? gradientSkips : skips;
                    of[layers.Owner(kind, need.Tensor)] = (entry.Tokens, entry.Skipped);
                }
            }

            try
            {
                if (entries.Count == kinds.Count)
                {
                    return read(entries);
                }
            }
            catch (EntryGoneException)
            {
                kinds.ForEach(row => found.TryRemove(Key(row.Name, row.Kind, need.Tensor).Digest, out _));
            }

            Compute([need], null, cancellationToken);
        }
    }

    // By the layer that has it, what is not there.
    private Dictionary<string, StatisticKinds> Missing(IEnumerable<StatisticNeed> needs, Func<LayerKey, bool> isThere)
    {
        var missing = new Dictionary<string, StatisticKinds>(StringComparer.Ordinal);
        foreach (var need in needs)
        {
            if (layers.Contains(need.Tensor))
            {
                foreach (var (kind, name) in StatisticNames.Of(need.Kinds).Where(row => layers.Has(row.Kind, need.Tensor)))
                {
                    var key = Key(name, kind, need.Tensor);
                    string owner = layers.Owner(kind, need.Tensor);
                    if (!found.ContainsKey(key.Digest) && !isThere(key))
                    {
                        missing[owner] = missing.GetValueOrDefault(owner) | kind;
                    }
                }
            }
        }

        return missing;
    }

    private StatisticEntry? Find(LayerKey key)
    {
        if (found.TryGetValue(key.Digest, out var entry))
        {
            return entry;
        }

        return StatisticEntry.Read(store!, key) is { } read ? found.GetOrAdd(key.Digest, read) : null;
    }

    private LayerKey Key(string name, StatisticKinds kind, string layer) => StatisticEntry.Key(
        name, layers.Shape(kind, layer), DigestFor(kind), $"{(StatisticNames.OfInputs.HasFlag(kind) ? "input" : "layer")}={layers.Owner(kind, layer)}", text.Description);

    private string DigestFor(StatisticKinds kind) =>
        unquantized is null || !StatisticNames.OfGradients.HasFlag(kind) ? ModelDigest : LayerKey.DigestOf([ModelDigest, quantized]);

    private Diagnostic Error(string code, Severity severity, string message) =>
        new(code, severity, message, recipeFile ?? settings.Text, settings.Position.Line, settings.Position.Column);

    // A text that does not fit is the recipe's mistake, where the recipe names it; and so is asking for a text where the model cannot be run.
    private CompressException AtItsPlace(CompressException exception)
    {
        var found = exception.Diagnostic;
        string message = found.Code is Codes.LanguageModelConfig or Codes.LanguageModelUnknown or Codes.LanguageModelTensors
            ? $"{found.Message}; for a model that cannot be run here, give 'calibration: statistics' a file that another program wrote"
            : found.Message;
        found = found with { Message = message };
        return new(recipeFile is not null && found.File == settings.Text ? found.At(recipeFile, settings.Position.Line, settings.Position.Column) : found, exception);
    }
}
