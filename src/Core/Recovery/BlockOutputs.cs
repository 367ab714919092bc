using System.Numerics.Tensors;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Blocks;
using Compress.Core.Numerics;
using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;

namespace Compress.Core.Recovery;

/// <summary>The loss of one block: the squared error of what it gives, over the squares of what the source's adds to its input.</summary>
/// <param name="packed">The model with all tensors in packed form; those of the block that are trained are replaced.</param>
/// <param name="index">The block.</param>
/// <param name="set">What is trained of it.</param>
/// <param name="streams">What it is given, and should give.</param>
/// <param name="seed">Which windows are drawn.</param>
internal sealed class BlockOutputs(LanguageModel packed, int index, TrainableSet set, BlockStreams streams, ulong seed) : ITrainingLoss
{
    private readonly DecoderLayer layer = packed.Decoder.Layers[index];

    public double Measure(float[] values, CancellationToken cancellationToken)
    {
        set.UseStored(packed, values);
        return Error(Enumerable.Range(streams.TrainedCount, streams.Lengths.Length - streams.TrainedCount), cancellationToken) / streams.Energy;
    }

    public void Gradient(float[] values, int step, float[] gradient, CancellationToken cancellationToken)
    {
        set.UseValues(packed, values);
        int[] batch = Batch(step);

        // The energy is of the held-out windows' tokens.
        double tokens = batch.Sum(window => (double)streams.Lengths[window]), all = streams.Lengths.Skip(streams.TrainedCount).Sum(length => (double)length);
        float factor = (float)(2 * all / (tokens * streams.Energy));
        var observer = set.Observer(values, gradient);
        foreach (int window in batch)
        {
            cancellationToken.ThrowIfCancellationRequested();
            float[] x = streams.Inputs[window];
            using var slope = new Scratch(x.Length);
            using var record = new LayerRecord(layer, streams.Lengths[window], layer.CanBeRecordedWhole);
            x.CopyTo(slope.Span);
            layer.Apply(slope.Span, streams.Lengths[window], record);
            TensorPrimitives.Subtract(slope.Span, streams.Outputs[window], slope.Span);
            TensorPrimitives.Multiply(slope.Span, factor, slope.Span);
            layer.Backward(x, record, slope.Span, streams.Lengths[window], observer);
        }
    }

    /// <summary>The windows of a step.</summary>
    internal int[] Batch(int step) =>
        [.. Enumerable.Range(step * RecoverySettings.Batch, RecoverySettings.Batch).Select(draw => (int)(Signs.Word(seed, draw) % (ulong)streams.TrainedCount))];

    /// <summary>The squared error of the block as it is now on some windows.</summary>
    internal double Error(IEnumerable<int> windows, CancellationToken cancellationToken)
    {
        double error = 0;
        foreach (int window in windows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            float[] x = streams.Inputs[window];
            using var y = new Scratch(x.Length);
            x.CopyTo(y.Span);
            layer.Apply(y.Span, streams.Lengths[window]);
            TensorPrimitives.Subtract(y.Span, streams.Outputs[window], y.Span);
            error += FixedOrder.Dot(y.Span, y.Span);
        }

        return error;
    }
}
