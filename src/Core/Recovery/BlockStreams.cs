using System.Numerics.Tensors;
using Compress.Core.LanguageModels;
using Compress.Core.Numerics;
using Compress.Runtime.Kernels;

namespace Compress.Core.Recovery;

/// <summary>
/// What goes into a block of a packed model, and what should come out of it, for some windows of a text: from the packed blocks before it, and from the source's block with what the source's
/// blocks before it give. So a block learns to undo errors of those before it, too. Goes from block to block.
/// </summary>
internal sealed class BlockStreams
{
    // 512 MiB of values before and after a block: longer texts are trained on in part.
    private const long MostFloats = 1L << 27;

    private readonly LanguageModel source, packed;
    private readonly float[][] inputs, outputs;
    private int block = -1;

    /// <param name="source">The source.</param>
    /// <param name="packed">The model with all tensors in packed form.</param>
    /// <param name="windows">Tokens.</param>
    /// <param name="drawn">Windows that all steps draw at most. A tenth as many are held out, or all that there are.</param>
    public BlockStreams(LanguageModel source, LanguageModel packed, RecoveryWindows windows, long drawn)
    {
        (this.source, this.packed) = (source, packed);
        int longest = windows.Trained.Concat(windows.HeldOut.Select(window => window.Tokens)).Max(window => window.Length);
        int most = (int)Math.Max(2, MostFloats / 2 / ((long)longest * source.Decoder.LayerWidth));
        int count = (int)Math.Min(drawn, most);
        int[][] held = Spread([.. windows.HeldOut.Select(window => window.Tokens)], Math.Max(1, count / 10));
        int[][] trained = Spread(windows.Trained, Math.Min(count, most - held.Length));
        int[][] all = [.. trained, .. held];
        TrainedCount = trained.Length;
        Lengths = Array.ConvertAll(all, tokens => tokens.Length);
        inputs = Array.ConvertAll(all, tokens => Embedded(packed, tokens));
        outputs = Array.ConvertAll(all, tokens => Embedded(source, tokens));
    }

    /// <summary>How many windows are trained on: the first. The others are held out.</summary>
    public int TrainedCount { get; }

    /// <summary>Tokens of each window.</summary>
    public int[] Lengths { get; }

    /// <summary>What the block is given, [tokens, width] for each window.</summary>
    public IReadOnlyList<float[]> Inputs => inputs;

    /// <summary>What it should give.</summary>
    public IReadOnlyList<float[]> Outputs => outputs;

    /// <summary>The squares of what the source's block adds to its input, on windows that are held out.</summary>
    public double Energy { get; private set; }

    /// <summary>Goes on to a block, through those before it as the packed model has them now.</summary>
    /// <param name="index">The block.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public void MoveTo(int index, CancellationToken cancellationToken)
    {
        while (block < index)
        {
            for (int i = 0; i < inputs.Length && block >= 0; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                packed.Decoder.Layers[block].Apply(inputs[i], Lengths[i]);
            }

            block++;
            Energy = 0;
            for (int i = 0; i < outputs.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                double added = Add(outputs[i], Lengths[i]);
                Energy += i < TrainedCount ? 0 : added;
            }
        }
    }

    // The source's block. The squares of what it adds.
    private double Add(float[] x, int tokens)
    {
        using var added = new Scratch(x.Length);
        x.CopyTo(added.Span);
        source.Decoder.Layers[block].Apply(x, tokens);
        TensorPrimitives.Subtract(x, added.Span, added.Span);
        return FixedOrder.Dot(added.Span, added.Span);
    }

    // So many, evenly from the first to the last.
    private static int[][] Spread(IReadOnlyList<int[]> windows, int count) =>
        [.. Enumerable.Range(0, Math.Min(count, windows.Count)).Select(i => windows[(int)((long)i * windows.Count / Math.Min(count, windows.Count))])];

    private static float[] Embedded(LanguageModel model, int[] tokens)
    {
        float[] x = new float[tokens.Length * model.Decoder.LayerWidth];
        model.Decoder.Embed(tokens, x);
        return x;
    }
}
