namespace Compress.Core.Compression;

/// <summary>Counts finished tensors from all threads, and parts of others, and passes the counts on, one call at a time.</summary>
internal sealed class ProgressTally(int layersTotal, long weightsTotal, IProgress<CompressionProgress>? progress)
{
    private readonly Lock gate = new();
    private int layersDone;
    private long weightsDone;
    private int hits;

    /// <summary>To be called when a layer is begun.</summary>
    /// <param name="weights">How many it has.</param>
    /// <returns>To be told which part of it is done; without <see cref="Layer.Finish"/> nothing of it counts any more when that is disposed of.</returns>
    public Layer Begin(long weights) => new(this, weights);

    /// <summary>To be called now and then while there is nothing to do but to wait for another process.</summary>
    public void Wait()
    {
        lock (gate)
        {
            Report(waiting: true);
        }
    }

    private void Report(bool waiting = false, bool within = false) =>
        progress?.Report(new CompressionProgress(layersDone, layersTotal, weightsDone, weightsTotal, hits, waiting) { WithinLayer = within });

    /// <summary>The progress of one layer, in parts from 0 to 1.</summary>
    public sealed class Layer(ProgressTally tally, long weights) : IProgress<double>, IDisposable
    {
        private long done;
        private bool finished;

        public void Report(double value)
        {
            lock (tally.gate)
            {
                Set((long)(value * weights));
                tally.Report(within: true);
            }
        }

        /// <summary>All of it is done.</summary>
        /// <param name="hit">True if it was in the cache.</param>
        public void Finish(bool hit)
        {
            lock (tally.gate)
            {
                finished = true;
                Set(weights);
                tally.layersDone++;
                tally.hits += hit ? 1 : 0;
                tally.Report();
            }
        }

        public void Dispose()
        {
            lock (tally.gate)
            {
                Set(finished ? weights : 0);
            }
        }

        private void Set(long now)
        {
            tally.weightsDone += now - done;
            done = now;
        }
    }
}
