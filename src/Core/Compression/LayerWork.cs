using System.Collections.Concurrent;
using System.Diagnostics;
using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Codecs.Feedback;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Recipes;

namespace Compress.Core.Compression;

/// <summary>Brings all tensors of a model into their packed form, several at once.</summary>
internal sealed class LayerWork(
    ModelFile model,
    IReadOnlyList<LayerPlan> plan,
    Recipe recipe,
    CompressionRequest request,
    IStatisticsSource? statistics,
    LayerStore store,
    IProgress<CompressionProgress>? progress)
{
    /// <summary>Does the work.</summary>
    /// <param name="force">True to encode every layer, whatever is in the store.</param>
    /// <param name="diagnostics">Receives the errors of all tensors.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>A result for each tensor of the plan. Null if there were errors.</returns>
    public TensorResult[]? Run(bool force, DiagnosticBag diagnostics, CancellationToken cancellationToken)
    {
        try
        {
            return EncodeAll(force, diagnostics, cancellationToken);
        }
        finally
        {
            SharedFactors.Instance.Clear();
        }
    }

    private TensorResult[]? EncodeAll(bool force, DiagnosticBag diagnostics, CancellationToken cancellationToken)
    {
        var results = new TensorResult?[plan.Count];
        var errors = new Diagnostic?[plan.Count];
        var tally = new ProgressTally(plan.Count, plan.Sum(layer => model[layer.Tensor.Name].Count), progress);
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = request.Threads > 0 ? request.Threads : Environment.ProcessorCount,
            CancellationToken = cancellationToken,
        };

        ForEach(InOrder(), waiting: null);
        // A full disk is one error, not one for each layer.
        if (Array.Find(errors, IsFatal) is { } fatal)
        {
            diagnostics.Add(fatal);
            return null;
        }

        // What others are encoding comes last: by then most of it is done.
        ForEach(Enumerable.Range(0, plan.Count).Where(index => results[index] is null && errors[index] is null).ToList(), tally.Wait);
        foreach (var error in errors.OfType<Diagnostic>())
        {
            diagnostics.Add(error);
        }

        return Array.TrueForAll(errors, error => error is null) ? [.. results.OfType<TensorResult>()] : null;

        void ForEach(IEnumerable<int> indices, Action? waiting) =>
            Parallel.ForEach(Partitioner.Create(indices, EnumerablePartitionerOptions.NoBuffering), options, (index, loop) =>
            {
                var tensor = model[plan[index].Tensor.Name];
                try
                {
                    using var layer = tally.Begin(tensor.Count);
                    if (Process(tensor, plan[index].Treatment, force, waiting, layer, cancellationToken) is { } result)
                    {
                        results[index] = result;
                        layer.Finish(result.Cache == CacheUse.Hit);
                    }
                }
                catch (CompressException exception)
                {
                    errors[index] = exception.Diagnostic; // the others go on: all errors of the model are reported at once
                    if (IsFatal(exception.Diagnostic))
                    {
                        loop.Stop();
                    }
                }

                tensor.ReleasePages();
            });
    }

    // The largest first, one at a time to whichever thread is free: so that no thread is left alone with a large one at the end. Those with the same
    // statistics stand together, for what encoders make of statistics to be of use to the next.
    private IEnumerable<int> InOrder() => Enumerable.Range(0, plan.Count)
        .GroupBy(index => StatisticsOf(index) is { Length: > 0 } words ? (words, 0) : ("", index))
        .OrderByDescending(group => group.Max(index => plan[index].Tensor.ByteLength))
        .ThenBy(group => group.First())
        .SelectMany(group => group.OrderByDescending(index => plan[index].Tensor.ByteLength).ThenBy(index => index));

    private string StatisticsOf(int index) => plan[index] is { Treatment: Treatment.Compress { Encoder.Needs: not StatisticKinds.None and var kinds }, Tensor: var tensor }
        ? statistics!.Describe(new(tensor.Name, kinds))
        : "";

    private static bool IsFatal(Diagnostic? error) => error?.Code == Codes.OutputNotWritable;

    // Null if somebody else is at it.
    private TensorResult? Process(SourceTensor tensor, Treatment treatment, bool force, Action? waiting, IProgress<double> progress, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        if (treatment is Treatment.Compress compress)
        {
            var layer = EncodedLayer.Get(tensor, compress, statistics, store, force, recipe.KeepNonFinite, waiting, progress, out bool busy, cancellationToken);
            if (busy)
            {
                return null;
            }

            if (layer is var (entry, key, use))
            {
                return new(entry.As(tensor.Name), key, entry.Error, use, Elapsed()) { Warnings = entry.Warnings };
            }
        }

        if (treatment is Treatment.Keep { As: { } type } && type != tensor.DType)
        {
            if (EncodedLayer.NonFinite(tensor) is not { } found)
            {
                var error = KeptTensor.Measure(tensor, type, cancellationToken);
                return new(KeptTensor.Rounded(tensor, type), KeptTensor.Key(tensor, type), error, CacheUse.Kept, Elapsed());
            }

            if (!recipe.KeepNonFinite)
            {
                throw new CompressException(found);
            }
        }

        return new(KeptTensor.AsStored(tensor), KeptTensor.Key(tensor, tensor.DType), default, CacheUse.Kept, Elapsed());

        double Elapsed() => Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
