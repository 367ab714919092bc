namespace Compress.Core.Compression;

/// <summary>Counts finished tensors from all threads and passes the counts on, one call at a time.</summary>
internal sealed class ProgressTally(int layersTotal, long weightsTotal, IProgress<CompressionProgress>? progress)
{
    private readonly Lock gate = new();
    private int layersDone;
    private long weightsDone;
    private int hits;

    public void Add(long weights, bool hit)
    {
        lock (gate)
        {
            layersDone++;
            weightsDone += weights;
            hits += hit ? 1 : 0;
            Report(waiting: false);
        }
    }

    /// <summary>To be called now and then while there is nothing to do but to wait for another process.</summary>
    public void Wait()
    {
        lock (gate)
        {
            Report(waiting: true);
        }
    }

    private void Report(bool waiting) =>
        progress?.Report(new CompressionProgress(layersDone, layersTotal, weightsDone, weightsTotal, hits, waiting));
}
