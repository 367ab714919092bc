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
/// The stage <c>recover</c> of a compression: all layers are encoded, and what is continuous in them is trained, first block by block if the recipe says so, then in the model as a whole.
/// </summary>
/// <param name="recipe">The recipe, which asks for it.</param>
/// <param name="model">The source.</param>
/// <param name="store">Where results are kept.</param>
internal sealed class ModelRecovery(Recipe recipe, ModelFile model, LayerStore store)
{
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
        var trained = Trained(results);
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

        string digest = LanguageModelDigest.Of(model);
        var own = new TrainableSet(trained);
        var (set, encoded) = (own, results);
        BlockRecovery? blocks = null;
        if (settings.Blocks is not null)
        {
            blocks = new BlockRecovery(source, packed, model, store, settings, windows, text.Description);
            results = blocks.Run(results, digest, force, progress, cancellationToken);
            set = new TrainableSet(Trained(results));
        }

        // What blocks were trained to is the beginning; what was encoded is taken if that is better after all.
        string all = LayerKey.DigestOf([digest, .. results.SelectMany(Words)]);
        var stored = new StoredTraining(store, settings.ToString(), all, text.Description, set.Count);
        var training = new Training(set, new Distillation(source, packed, set, windows, settings.Temperature), settings.Steps, settings.LearningRate, settings.Time)
        {
            Otherwise = blocks is null ? null : own.Start,
        };
        var state = (force ? null : stored.Done)
            ?? stored.Run(training, force, (step, kl) => progress?.Report(new(step, settings.Steps, kl)), cancellationToken);
        Report = new(state.Step, state.BestStep, windows.HeldOut.Sum(window => (long)window.Counted), state.LossOtherwise ?? state.LossBefore, state.LossBest, set.Count, settings.ToString())
        {
            Blocks = blocks?.Reports,
            KlAfterBlocks = blocks is null ? null : state.LossBefore,
        };
        return Report.MadeNothingBetter ? encoded : Taken(stored.Key.Digest);

        List<Trainable> Trained(TensorResult[] from) =>
            [.. from.Where(result => names.Contains(result.Entry.Name)).Select(result => TrainableTensors.Of(result.Entry, model[result.Entry.Name])).OfType<Trainable>()];

        TensorResult[] Taken(string recovered)
        {
            var entries = set.Stored(state.Best).ToDictionary(entry => entry.Name, StringComparer.Ordinal);
            return [.. results.Select(result => entries.TryGetValue(result.Entry.Name, out var entry) ? With(result, entry, recovered) : result)];
        }

        TensorResult With(TensorResult result, PackedEntry entry, string recovered) => result with
        {
            Entry = entry,
            Error = result.Cache == CacheUse.Kept ? result.Error : ErrorSums.Measure(model[entry.Name], PackedForm.Open(entry), cancellationToken),
            Recovered = recovered,
        };
    }

    private static string[] Words(TensorResult result) => result.Recovered.Length == 0 ? [result.Entry.Name, result.Key.Digest] : [result.Entry.Name, result.Key.Digest, result.Recovered];

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
