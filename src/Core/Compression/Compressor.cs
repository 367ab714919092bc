using System.Diagnostics;
using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.Models;
using Compress.Core.Recipes;
using Compress.Core.Recipes.Locating;
using Compress.Core.Recovery;
using Compress.Runtime;

namespace Compress.Core.Compression;

/// <summary>
/// Compresses one model: recipe and header make a plan, each tensor goes through it (in parallel, by way of the cache), and the results
/// are written into the packed container.
/// </summary>
public static class Compressor
{
    /// <summary>Compresses a model.</summary>
    /// <param name="request">What to do.</param>
    /// <param name="diagnostics">Receives every error and warning.</param>
    /// <param name="progress">Told after each tensor; calls may come from any thread, one at a time.</param>
    /// <param name="cancellationToken">Ends the work; nothing half-written is left.</param>
    /// <returns>Null if there were errors; the output is then as it was before.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static CompressionReport? Run(
        CompressionRequest request, DiagnosticBag diagnostics, IProgress<CompressionProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            return Compress(request, diagnostics, progress, cancellationToken);
        }
        catch (CompressException exception)
        {
            diagnostics.Add(exception.Diagnostic);
            return null;
        }
    }

    private static CompressionReport? Compress(
        CompressionRequest request, DiagnosticBag diagnostics, IProgress<CompressionProgress>? progress, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var (origin, recipePath) = RecipeLocator.Find(request.ModelPath, request.RecipePath);
        if (origin == RecipeOrigin.Missing)
        {
            throw new CompressException(Codes.ItemRecipeMissing, "there is no such recipe", recipePath);
        }

        var recipe = recipePath is null ? Recipe.BuiltIn : RecipeReader.Read(recipePath, diagnostics);
        if (recipe is null)
        {
            return null;
        }

        if (request.GatesOnlyWarn && recipe.Gate is { } gate)
        {
            recipe = recipe with { Gate = gate with { Severity = Severity.Warning } };
        }

        using var model = ModelFile.Open(request.ModelPath, recipe.StateDict);
        CheckNames(model);
        var plan = Plan.Make(recipe, model.Header, diagnostics);
        using var store = new LayerStore(request.Cache, request.OutputPath, diagnostics);
        if (diagnostics.HasErrors)
        {
            return null;
        }

        plan = GlobalThreshold.Find(recipe, plan, model, diagnostics, cancellationToken);
        if (diagnostics.HasErrors)
        {
            return null;
        }

        var sharing = SharedBits.Names(plan, recipe);
        var budgeted = recipe.Budget is null ? null : new BudgetedPlan(recipe, plan, model);
        var asked = plan;
        plan = budgeted?.Candidates ?? plan;
        using var statistics = PlanStatistics.Open(recipe, plan, model, store, diagnostics);
        if (diagnostics.HasErrors)
        {
            return null;
        }

        var evaluations = request.Cache is { } cache ? new EvaluationCache(cache.Directory, cache.ReadOnly) : null;
        var rounds = new GradientRounds(recipe, evaluations);
        rounds.Check(plan, chooses: budgeted is not null && sharing.Count == 0);
        var first = Encoded(statistics);
        if (first is null || rounds.Run(first, Encoded, cancellationToken) is not { } best)
        {
            return null;
        }

        (plan, var results, var used) = best;
        budgeted = sharing.Count > 0 ? new BudgetedPlan(recipe, plan, model) : budgeted;
        var work = Work(plan, used);
        statistics?.Report();
        BudgetAllocation? allocation = null;
        if (budgeted is not null)
        {
            allocation = new BudgetAllocation(budgeted, recipe, model, evaluations, diagnostics);
            int[] chosen;
            try
            {
                chosen = allocation.Choose(results, Measuring(progress, results), cancellationToken);
            }
            catch (EntryGoneException)
            {
                store.KeepCopies = true;
                if (work.Run(force: false, diagnostics, cancellationToken) is not { } again)
                {
                    return null;
                }

                results = again;
                chosen = allocation.Choose(results, Measuring(progress, results), cancellationToken);
            }

            plan = [.. chosen.Select(candidate => budgeted.Candidates[candidate])];
            results = [.. chosen.Select(candidate => results[candidate])];
            work = Work(plan, used);
        }

        LayerWarnings.Add(recipe, asked, plan, results, diagnostics);
        var recovery = recipe.Recovery is null ? null : new ModelRecovery(recipe, model, store);
        if (Recovered(request.Force) is not { } recovered)
        {
            return null;
        }

        results = recovered;
        if (RelativeErrorGate.Check(recipe, results) is { } beyond)
        {
            diagnostics.Add(beyond);
            if (diagnostics.HasErrors)
            {
                return null;
            }
        }

        model.ThrowIfChanged();
        var gates = new LanguageGates(recipe, model, evaluations);
        var examined = results;
        Action<string>? examine = gates.Any ? path => gates.Check(path, Worst(examined), diagnostics, Measuring(progress, examined), cancellationToken) : null;
        bool unchanged;
        try
        {
            unchanged = PackedOutput.Write(request.OutputPath, results, examine, cancellationToken);
        }
        catch (Exception exception) when (exception is EntryGoneException || (exception is InvalidDataException && HasHits(results)))
        {
            // Somebody trims or clears the cache, or put into it what cannot be used. Once more, with entries that nobody else knows of.
            store.KeepCopies = true;
            if (work.Run(force: exception is InvalidDataException, diagnostics, cancellationToken) is not { } again)
            {
                return null;
            }

            results = again;
            results = Recovered(force: false) ?? results;
            examined = results;
            unchanged = PackedOutput.Write(request.OutputPath, results, examine, cancellationToken);
        }

        return Report(request, model, recipePath, results, [.. statistics?.Files ?? [], .. allocation?.Files ?? [], .. recovery?.Files ?? [], .. gates.Files], gates.Results, unchanged, clock) with
        {
            Allocation = allocation?.Report(results, gates.Results, cancellationToken),
            StateDict = recipe.StateDict,
            Rounds = rounds.Report,
            Recovery = recovery?.Report,
        };

        LayerWork Work(IReadOnlyList<LayerPlan> layers, IStatisticsSource? with) => new(model, layers, recipe, request, with, store, progress);

        // All layers; null if there were errors.
        EncodedModel? Encoded(IStatisticsSource? with)
        {
            var layers = budgeted?.Candidates ?? asked;
            if (with is not null)
            {
                var missing = PlanStatistics.Needs(layers, layer => request.Force || sharing.Contains(layer.Tensor.Name) || !store.Contains(EncodedLayer.Key(model[layer.Tensor.Name], layer.Compress, with)));
                with.Prepare(missing, Calibrating(progress, layers, model), cancellationToken);
            }

            if (sharing.Count == 0)
            {
                return Encode(layers) is { } all ? new(layers, all, with) : null;
            }

            var (spread, results) = new SharedBits(recipe, layers, model, with, cancellationToken).Spread(Encode);
            return results is null ? null : new(spread, results, with);

            TensorResult[]? Encode(IReadOnlyList<LayerPlan> layers) => Work(layers, with).Run(request.Force, diagnostics, cancellationToken);
        }

        // Null if there were errors.
        TensorResult[]? Recovered(bool force)
        {
            if (recovery is null)
            {
                return results;
            }

            try
            {
                return recovery.Run(results, force, Training(progress, results), cancellationToken);
            }
            catch (EntryGoneException)
            {
                store.KeepCopies = true;
                return work.Run(force: false, diagnostics, cancellationToken) is { } again ? recovery.Run(again, force, Training(progress, again), cancellationToken) : null;
            }
        }

    }

    private static CalibrationPart? Calibrating(IProgress<CompressionProgress>? progress, IReadOnlyList<LayerPlan> plan, ModelFile model) => progress is null
        ? null
        : new(progress, new(0, plan.Count, 0, plan.Sum(layer => model[layer.Tensor.Name].Count), 0));

    private static EvaluationPart? Measuring(IProgress<CompressionProgress>? progress, TensorResult[] results) => progress is null
        ? null
        : new(progress, new(results.Length, results.Length, 1, 1, results.Count(result => result.Cache == CacheUse.Hit)));

    private static RecoveryPart? Training(IProgress<CompressionProgress>? progress, TensorResult[] results) => progress is null
        ? null
        : new(progress, new(results.Length, results.Length, 1, 1, results.Count(result => result.Cache == CacheUse.Hit)));

    private static IEnumerable<string> Worst(TensorResult[] results) => results
        .Where(result => result.Cache != CacheUse.Kept)
        .OrderByDescending(result => result.Error.ErrorEnergy)
        .Select(result => result.Entry.Name);

    private static bool HasHits(TensorResult[] results) => results.Any(result => result.Cache == CacheUse.Hit);

    private static void CheckNames(ModelFile model)
    {
        if (model.Header.Tensors.FirstOrDefault(tensor => tensor.Name.Contains(PackedFormat.Separator, StringComparison.Ordinal)) is { } tensor)
        {
            throw new CompressException(Codes.ModelNameTaken,
                $"the name of tensor '{tensor.Name}' contains '{PackedFormat.Separator}', which names the arrays of packed tensors; rename it in the model",
                tensor.File);
        }
    }

    private static CompressionReport Report(
        CompressionRequest request, ModelFile model, string? recipePath, TensorResult[] results,
        IEnumerable<string> otherFiles, IReadOnlyList<EvaluationResult> evaluations, bool unchanged, Stopwatch clock)
    {
        using var packed = PackedModel.OpenFile(request.OutputPath);
        var layers = results
            .Select(result => (Result: result, Tensor: packed[result.Entry.Name]))
            .Select(pair => new LayerReport(
                pair.Result.Entry.Name,
                pair.Tensor.Shape.ToArray(),
                pair.Tensor.Codec,
                pair.Tensor.BitsPerWeight,
                pair.Result.Error.RelativeMse,
                pair.Tensor.StoredBytes,
                pair.Result.Cache.ToString().ToLowerInvariant(),
                Math.Round(pair.Result.Milliseconds, 3),
                pair.Result.Key) { MemoryBytes = pair.Tensor.MemoryBytes })
            .ToList();
        var compressed = results.Where(result => result.Cache != CacheUse.Kept).ToList();
        double weights = compressed.Sum(result => (double)packed[result.Entry.Name].Count);
        double bits = compressed.Sum(result => packed[result.Entry.Name].BitsPerWeight * packed[result.Entry.Name].Count);
        return new CompressionReport
        {
            Model = request.ModelPath,
            SourceBytes = model.Header.Tensors.Sum(tensor => tensor.ByteLength),
            PackedBytes = packed.PackedBytes,
            MemoryBytes = packed.PackedBytes + layers.Sum(layer => layer.MemoryBytes - layer.Bytes),
            BitsPerWeight = weights == 0 ? 0 : bits / weights,
            RelativeMse = compressed.Aggregate(default(ErrorSums), (sum, result) => sum + result.Error).RelativeMse,
            CacheHits = compressed.Count(result => result.Cache == CacheUse.Hit),
            CacheMisses = compressed.Count(result => result.Cache == CacheUse.Miss),
            CacheSalt = request.Cache?.Salt ?? "",
            Milliseconds = clock.ElapsedMilliseconds,
            Evaluations = [.. evaluations.Select(EvaluationReport.Of)],
            Layers = layers,
            Files = [.. model.Header.Files, .. recipePath is null ? Array.Empty<string>() : [recipePath], .. otherFiles.Distinct()],
            Unchanged = unchanged,
        };
    }
}
