using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Core.Recipes;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Recovery;

/// <summary>
/// The stage <c>recover</c> of a compression: all layers are encoded, and what is continuous in them is trained. Its result is a cache entry, and so is its state now and then: a run that was ended
/// goes on where it was.
/// </summary>
/// <param name="recipe">The recipe, which asks for it.</param>
/// <param name="model">The source.</param>
/// <param name="store">Where results are kept.</param>
internal sealed class ModelRecovery(Recipe recipe, ModelFile model, LayerStore store)
{
    private const int Version = 1; // raised when the same settings give other numbers

    private readonly RecoverySettings settings = recipe.Recovery!;

    /// <summary>What it did.</summary>
    public RecoveryReport? Report { get; private set; }

    /// <summary>The absolute paths of the files read besides model and recipe.</summary>
    public IReadOnlyList<string> Files { get; private set; } = [];

    /// <summary>Trains, or takes what was trained before.</summary>
    /// <param name="results">All tensors of the model.</param>
    /// <param name="force">True to train anew.</param>
    /// <param name="progress">Told after each step.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>The tensors with what was trained, if that is better.</returns>
    /// <exception cref="CompressException">The model or the text is not fit for it.</exception>
    /// <exception cref="EntryGoneException">Somebody removed a cache entry since it was found.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public TensorResult[] Run(TensorResult[] results, bool force, IProgress<RecoveryProgress>? progress, CancellationToken cancellationToken)
    {
        var source = AtItsPlace(() => LanguageModel.Open(model));
        var on = settings.On with { Window = settings.On.Window ?? Math.Min(source.MaxPositions, RecoverySettings.DefaultWindow) };
        string folder = Path.GetDirectoryName(model.Header.Files[0])!;
        var (text, windows) = AtItsPlace(() =>
        {
            var read = CalibrationText.Read(on, folder, source);
            return (read, new RecoveryWindows(read, settings));
        });
        Files = [.. text.Files, Path.Combine(folder, "config.json")];
        var names = source.TensorNames.ToHashSet(StringComparer.Ordinal);
        var candidates = results.Where(result => names.Contains(result.Entry.Name)).ToList();
        var trained = candidates.Select(result => TrainableTensors.Of(result.Entry, model[result.Entry.Name])).OfType<Trainable>().ToList();
        if (trained.Count == 0)
        {
            throw new CompressException(new Diagnostic(Codes.RecipeConflict, Severity.Error,
                "there is nothing to train: no norm, bias, scale or codebook of this model is stored so that it could change; remove 'recover'",
                recipe.File, settings.Position.Line, settings.Position.Column));
        }

        // The divergence is measured with the tensors as an application has them.
        var packed = LanguageModel.Open(model);
        foreach (var result in candidates.Where(result => result.Entry.Description is not null))
        {
            packed.UseDequantized(result.Entry.Name, PackedForm.Open(result.Entry));
        }

        var distillation = new Distillation(source, packed, trained, windows, settings);
        string digest = LayerKey.DigestOf([LanguageModelDigest.Of(model), .. results.SelectMany(result => new[] { result.Entry.Name, result.Key.Digest })]);
        var done = Key("done");
        var state = force ? null : Read(done);
        if (state is null)
        {
            state = distillation.Run(force ? null : Latest(), step => Write(Key(step.Step.ToString(System.Globalization.CultureInfo.InvariantCulture)), step), progress, cancellationToken);
            Write(done, state);
        }

        Report = new(state.Step, state.BestStep, windows.HeldOut.Sum(window => (long)window.Counted), state.KlBefore, state.KlBest, distillation.Count, settings.ToString());
        return state.BestStep == 0 ? results : Taken(state.Best);

        LayerKey Key(string what) => new(RecoveryState.Codec, Version, $"{settings} at={what}", nameof(DType.F32), "", digest, text.Description);

        RecoveryState? Read(LayerKey key) => store.TryRead(key) is { } entry ? RecoveryState.Of(entry, distillation.Count) : null;

        void Write(LayerKey key, RecoveryState state) => store.Write(store.NameOf(key), state.Entry(), DType.F32, [], default);

        RecoveryState? Latest() => Enumerable.Range(1, settings.Steps / distillation.Interval).Reverse()
            .Select(i => Read(Key((i * distillation.Interval).ToString(System.Globalization.CultureInfo.InvariantCulture)))).FirstOrDefault(found => found is not null);

        TensorResult[] Taken(float[] values)
        {
            var entries = trained.Index().ToDictionary(pair => pair.Item.Entry.Name, pair => distillation.Stored(pair.Index, values), StringComparer.Ordinal);
            return [.. results.Select(result => entries.TryGetValue(result.Entry.Name, out var entry) ? With(result, entry) : result)];
        }

        TensorResult With(TensorResult result, PackedEntry entry) => result with
        {
            Entry = entry,
            Error = result.Cache == CacheUse.Kept ? result.Error : ErrorSums.Measure(model[entry.Name], PackedForm.Open(entry), cancellationToken),
            Recovered = done.Digest,
        };
    }

    // What does not fit is the recipe's mistake, where it asks for it.
    private T AtItsPlace<T>(Func<T> run)
    {
        try
        {
            return run();
        }
        catch (CompressException exception) when (recipe.File is not null)
        {
            throw new CompressException(exception.Diagnostic.At(recipe.File, settings.Position.Line, settings.Position.Column), exception);
        }
    }
}
