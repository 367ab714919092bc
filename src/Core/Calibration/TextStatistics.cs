using System.Collections.Concurrent;
using System.Globalization;
using Compress.Core.Caching;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Blocks;
using Compress.Core.Models;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Calibration;

/// <summary>Statistics that are computed by running a language model on a text. Each is kept in the layer cache.</summary>
internal sealed class TextStatistics : IStatisticsSource
{
    private static readonly TimeSpan WaitInterval = TimeSpan.FromMilliseconds(50);

    private readonly ModelFile source;
    private readonly LayerStore? store;
    private readonly CalibrationSettings settings;
    private readonly string? recipeFile;
    private readonly DiagnosticBag diagnostics;
    private readonly LanguageModel model;
    private readonly CalibrationText text;
    private readonly Dictionary<string, LinearGroup> groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Linear> layers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, StatisticEntry> found = new(StringComparer.Ordinal); // by digest
    private readonly ConcurrentDictionary<string, (long Tokens, long Skipped)> skips = new(StringComparer.Ordinal); // by group
    private readonly Lock computing = new();
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
            model = LanguageModel.Open(source);
            text = CalibrationText.Read(settings, folder, model);
        }
        catch (CompressException exception)
        {
            throw AtItsPlace(exception);
        }

        Files = [.. text.Files, Path.Combine(folder, "config.json")];
        foreach (var group in model.Decoder.Stages.SelectMany(stage => stage))
        {
            foreach (var layer in group.Layers)
            {
                groups.TryAdd(layer.Name, group);
                layers.TryAdd(layer.Name, layer);
            }
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The names of all linear layers, stage by stage, and of the layer that each has its input in common with.</summary>
    public IEnumerable<(string Layer, string Input, bool Transposed)> Layers =>
        groups.Select(pair => (pair.Key, pair.Value.First.Name, layers[pair.Key].Transposed));

    /// <summary>Matrices that the model multiplies nothing with: embeddings.</summary>
    public IEnumerable<string> Tables => model.TensorNames.Where(name => !groups.ContainsKey(name) && source[name].Shape.Count > 1).Order(StringComparer.Ordinal);

    /// <summary>The digest of the model.</summary>
    public string ModelDigest => digest ??= LanguageModelDigest.Of(source);

    /// <summary>Tokens in all windows.</summary>
    public int Tokens => text.Tokens;

    /// <summary>What the windows of tokens follow from.</summary>
    public string TextDescription => text.Description;

    /// <inheritdoc/>
    public void Check(IReadOnlyCollection<StatisticNeed> needs)
    {
        var widths = needs.Where(need => need.Kinds.HasFlag(StatisticKinds.InputSecondMoments) && groups.ContainsKey(need.Tensor))
            .Select(need => (need.Tensor, Width: layers[need.Tensor].Inputs)).ToList();
        if (widths.Count == 0)
        {
            return;
        }

        var (name, widest) = widths.MaxBy(layer => layer.Width);
        if (widest > StatisticEntry.MaxWidth)
        {
            throw new CompressException(Error(
                Codes.ModelTensorTooLarge, Severity.Error, $"layer {Quote.Name(name)} has {widest} inputs; second moments can be had of {StatisticEntry.MaxWidth} at most"));
        }

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
        groups.TryGetValue(need.Tensor, out var group) ? StatisticEntry.Describe(need.Kinds, ModelDigest, group.First.Name, text.Description) : "";

    /// <inheritdoc/>
    public void Prepare(IReadOnlyCollection<StatisticNeed> needs, IProgress<CalibrationProgress>? progress, CancellationToken cancellationToken)
    {
        if (Missing(needs, store!.Contains).Count > 0)
        {
            Compute(needs, progress, cancellationToken);
        }
    }

    private void Compute(IReadOnlyCollection<StatisticNeed> needs, IProgress<CalibrationProgress>? progress, CancellationToken cancellationToken)
    {
        lock (computing)
        {
            // One process computes; the others wait, and find everything there.
            IDisposable? turn;
            string run = LayerKey.DigestOf(["calibration", ModelDigest, text.Description]);
            while (!store!.TryLock(run, out turn))
            {
                cancellationToken.WaitHandle.WaitOne(WaitInterval);
                cancellationToken.ThrowIfCancellationRequested();
            }

            using (turn)
            {
                var missing = Missing(needs, key => StatisticEntry.Read(store!, key) is not null);
                if (missing.Count > 0)
                {
                    new Calibrator(model, text.Windows).Run(
                        group => missing.GetValueOrDefault(group.First.Name), (group, moments) => Keep(group, moments, missing[group.First.Name]), progress, cancellationToken);
                }
            }
        }
    }

    /// <inheritdoc/>
    public LayerStatistics? Read(StatisticNeed need, CancellationToken cancellationToken)
    {
        if (!groups.TryGetValue(need.Tensor, out var group))
        {
            return null;
        }

        return Whole(
            need,
            group,
            entries => new LayerStatistics
            {
                Tokens = entries.Values.First().Tokens,
                Transposed = layers[need.Tensor].Transposed,
                InputSecondMoments = entries.GetValueOrDefault(StatisticKinds.InputSecondMoments)?.Values(),
                InputMeans = entries.GetValueOrDefault(StatisticKinds.InputMeans)?.Values(),
            },
            cancellationToken);
    }

    /// <summary>One statistic of a layer, to copy it to a file.</summary>
    public StatisticEntry Entry(string layer, StatisticKinds kind, CancellationToken cancellationToken) =>
        Whole(new(layer, kind), groups[layer], entries => entries[kind], cancellationToken);

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
    }

    /// <inheritdoc/>
    public void Dispose() => model.Dispose();

    // Reads a layer's statistics; those that somebody removed meanwhile are computed again.
    private T Whole<T>(StatisticNeed need, LinearGroup group, Func<Dictionary<StatisticKinds, StatisticEntry>, T> read, CancellationToken cancellationToken)
    {
        while (true)
        {
            var entries = new Dictionary<StatisticKinds, StatisticEntry>();
            var kinds = StatisticNames.Of(need.Kinds).ToList();
            foreach (var (kind, name) in kinds)
            {
                if (Find(Key(name, kind, group)) is { } entry)
                {
                    entries.Add(kind, entry);
                    skips[group.First.Name] = (entry.Tokens, entry.Skipped);
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
                kinds.ForEach(row => found.TryRemove(Key(row.Name, row.Kind, group).Digest, out _));
            }

            Compute([need], null, cancellationToken);
        }
    }

    // By group, what is not there.
    private Dictionary<string, StatisticKinds> Missing(IEnumerable<StatisticNeed> needs, Func<LayerKey, bool> isThere)
    {
        var missing = new Dictionary<string, StatisticKinds>(StringComparer.Ordinal);
        foreach (var need in needs)
        {
            if (groups.TryGetValue(need.Tensor, out var group))
            {
                foreach (var (kind, name) in StatisticNames.Of(need.Kinds))
                {
                    var key = Key(name, kind, group);
                    if (!found.ContainsKey(key.Digest) && !isThere(key))
                    {
                        missing[group.First.Name] = missing.GetValueOrDefault(group.First.Name) | kind;
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

    private void Keep(LinearGroup group, InputMoments moments, StatisticKinds kinds)
    {
        source.ThrowIfChanged(); // what is kept is of the model that was hashed
        if (moments.Tokens == 0)
        {
            throw new CompressException(Error(
                Codes.CalibrationNonFinite, Severity.Error,
                $"the inputs of layer {Quote.Name(group.First.Name)} are not finite, or beyond 1e18, for all {moments.Skipped} tokens; the model does not work in 32-bit floats"));
        }

        foreach (var (kind, name) in StatisticNames.Of(kinds))
        {
            var key = Key(name, kind, group);
            float[] values = kind == StatisticKinds.InputMeans ? moments.Means() : moments.SecondMoments();
            found[key.Digest] = StatisticEntry.Write(store!, key, Shape(kind, group), values, moments.Tokens, moments.Skipped);
        }
    }

    private LayerKey Key(string name, StatisticKinds kind, LinearGroup group) =>
        StatisticEntry.Key(name, Shape(kind, group), ModelDigest, group.First.Name, text.Description);

    private static long[] Shape(StatisticKinds kind, LinearGroup group) =>
        kind == StatisticKinds.InputMeans ? [group.First.Inputs] : [group.First.Inputs, group.First.Inputs];

    private Diagnostic Error(string code, Severity severity, string message) =>
        new(code, severity, message, recipeFile ?? settings.Text, settings.Position.Line, settings.Position.Column);

    // A text that does not fit is the recipe's mistake, where the recipe names it; and so is asking for a text where the model cannot be run.
    private CompressException AtItsPlace(CompressException exception)
    {
        var found = exception.Diagnostic;
        string message = found.Code is Codes.LanguageModelConfig or Codes.LanguageModelUnknown or Codes.LanguageModelTensors
            ? $"{found.Message}; for a model that cannot be run here, give 'calibration: statistics' a file that another program wrote"
            : found.Message;
        return recipeFile is not null && found.File == settings.Text
            ? new(found with { File = recipeFile, Line = settings.Position.Line, Column = settings.Position.Column, Message = $"{settings.Text}: {message}" }, exception)
            : new(found with { Message = message }, exception);
    }
}
