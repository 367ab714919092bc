using System.Collections.Concurrent;
using System.Diagnostics;
using Compress.Core.Caching;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Recipes;
using Compress.Core.Recipes.Locating;
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

        using var model = ModelFile.Open(request.ModelPath);
        CheckNames(model);
        var plan = Plan.Make(recipe, model.Header, diagnostics);
        using var store = new LayerStore(request, diagnostics);
        if (diagnostics.HasErrors || Process(model, plan, recipe, request, store, diagnostics, progress, cancellationToken) is not { } results)
        {
            return null;
        }

        RelativeErrorGate.Check(recipe, results);
        model.ThrowIfChanged();
        bool unchanged = PackedOutput.Write(request.OutputPath, results);
        return Report(request, model, recipePath, results, unchanged, clock);
    }

    private static TensorResult[]? Process(
        ModelFile model,
        IReadOnlyList<LayerPlan> layers,
        Recipe recipe,
        CompressionRequest request,
        LayerStore store,
        DiagnosticBag diagnostics,
        IProgress<CompressionProgress>? progress,
        CancellationToken cancellationToken)
    {
        var results = new TensorResult?[layers.Count];
        var errors = new Diagnostic?[layers.Count];
        var tally = new ProgressTally(layers.Count, layers.Sum(layer => model[layer.Tensor.Name].Count), progress);
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = request.Threads > 0 ? request.Threads : Environment.ProcessorCount,
            CancellationToken = cancellationToken,
        };

        // The largest first, one at a time to whichever thread is free: so that no thread is left alone with a large one at the end.
        var order = Enumerable.Range(0, layers.Count).OrderByDescending(index => layers[index].Tensor.ByteLength).ThenBy(index => index);
        Parallel.ForEach(Partitioner.Create(order, EnumerablePartitionerOptions.NoBuffering), options, index =>
        {
            var tensor = model[layers[index].Tensor.Name];
            try
            {
                var result = Process(tensor, layers[index].Treatment, recipe, request, store, cancellationToken);
                results[index] = result;
                tally.Add(tensor.Count, result.Cache == CacheUse.Hit);
            }
            catch (CompressException exception)
            {
                errors[index] = exception.Diagnostic; // the others go on: all errors are reported at once
            }

            tensor.ReleasePages();
        });

        foreach (var error in errors.OfType<Diagnostic>())
        {
            diagnostics.Add(error);
        }

        return Array.TrueForAll(errors, error => error is null) ? [.. results.OfType<TensorResult>()] : null;
    }

    private static TensorResult Process(
        SourceTensor tensor, Treatment treatment, Recipe recipe, CompressionRequest request, LayerStore store, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        if (treatment is Treatment.Compress compress
            && EncodedLayer.Get(tensor, compress, store, request.Force, recipe.KeepNonFinite, cancellationToken) is var (entry, key, use))
        {
            return new(entry.As(tensor.Name), key, entry.Error, use, Elapsed());
        }

        if (treatment is Treatment.Keep { As: { } type } && type != tensor.DType)
        {
            if (EncodedLayer.NonFinite(tensor) is not { } found)
            {
                var error = KeptTensor.Measure(tensor, type, cancellationToken);
                return new(KeptTensor.Rounded(tensor, type), Identity(tensor, $"{type}"), error, CacheUse.Kept, Elapsed());
            }

            if (!recipe.KeepNonFinite)
            {
                throw new CompressException(found);
            }
        }

        return new(KeptTensor.AsStored(tensor), Identity(tensor, "as stored"), default, CacheUse.Kept, Elapsed());

        double Elapsed() => Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static void CheckNames(ModelFile model)
    {
        if (model.Header.Tensors.FirstOrDefault(tensor => tensor.Name.Contains(PackedFormat.Separator, StringComparison.Ordinal)) is { } tensor)
        {
            throw new CompressException(Codes.ModelNameTaken,
                $"the name of tensor '{tensor.Name}' contains '{PackedFormat.Separator}', which names the arrays of packed tensors; rename it in the model",
                tensor.File);
        }
    }

    private static string Identity(SourceTensor tensor, string form) =>
        CacheKey.Digest([form, $"{tensor.DType}", string.Join(',', tensor.Shape), Convert.ToHexStringLower(tensor.ContentHash())]);

    private static CompressionReport Report(
        CompressionRequest request, ModelFile model, string? recipePath, TensorResult[] results, bool unchanged, Stopwatch clock)
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
                Math.Round(pair.Result.Milliseconds, 3)))
            .ToList();
        var compressed = results.Where(result => result.Cache != CacheUse.Kept).ToList();
        double weights = compressed.Sum(result => (double)packed[result.Entry.Name].Count);
        double bits = compressed.Sum(result => packed[result.Entry.Name].BitsPerWeight * packed[result.Entry.Name].Count);
        return new CompressionReport
        {
            Model = request.ModelPath,
            SourceBytes = model.Header.Tensors.Sum(tensor => tensor.ByteLength),
            PackedBytes = packed.PackedBytes,
            BitsPerWeight = weights == 0 ? 0 : bits / weights,
            RelativeMse = compressed.Aggregate(default(ErrorSums), (sum, result) => sum + result.Error).RelativeMse,
            CacheHits = compressed.Count(result => result.Cache == CacheUse.Hit),
            CacheMisses = compressed.Count(result => result.Cache == CacheUse.Miss),
            Milliseconds = clock.ElapsedMilliseconds,
            Layers = layers,
            Files = recipePath is null ? model.Header.Files : [.. model.Header.Files, recipePath],
            Unchanged = unchanged,
        };
    }
}
