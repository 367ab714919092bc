using System.Buffers;
using Compress.Core.LanguageModels.Blocks;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Gradients;

/// <summary>
/// A forward pass that kept inputs of layers, and any number of backward passes from what it gave. A backward pass goes from the last layer to
/// the first and computes again what is between a layer's input and its output (Chen et al., "Training deep nets with sublinear memory cost",
/// arXiv 1604.06174), so it holds the activations of one layer at a time. What is kept takes about as much room as those: all inputs, with
/// attention's mixed values, if the layers are few, else every n-th, and those between are computed again too. If all activations take no more room
/// than the model's weights and their gradients would, and that is not much, they are all kept, and nothing is computed again.
/// Bit-exact: the same floats on every machine and for any number of threads. One thread uses it at a time.
/// </summary>
public sealed class RecordedPass : IDisposable
{
    private readonly Decoder decoder;
    private readonly int[] tokens;
    private readonly int stride;
    private readonly float[][] kept; // inputs of layers 0, stride, 2 stride, …, and the last layer's output; [tokens, width] and more
    private readonly LayerRecord?[] records; // of each layer, what there is room for

    /// <summary>256 MiB: more than this is not kept just because the model is large.</summary>
    private const long MostFloats = 1L << 26;

    /// <param name="decoder">What is run.</param>
    /// <param name="tokens">The sequence.</param>
    /// <param name="weights">How many weights the model has; 0 to keep as little as of a model whose activations outweigh its weights.</param>
    internal RecordedPass(Decoder decoder, ReadOnlySpan<int> tokens, long weights)
    {
        this.decoder = decoder;
        this.tokens = tokens.ToArray();
        int layers = decoder.Layers.Count, floats = tokens.Length * decoder.LayerWidth;
        int room = layers == 0 ? 0 : decoder.Layers[0].ActivationWidth;
        bool whole = layers > 0 && KeepsAll(decoder, tokens.Length, room, weights);
        stride = whole ? 1 : Stride(layers, room / decoder.LayerWidth);
        kept = Rent(((layers + stride - 1) / stride) + 1, floats);
        bool some = whole || (layers > 0 && (long)layers * (decoder.LayerWidth + decoder.Layers[0].MixedWidth) <= room);
        records = [.. decoder.Layers.Select(layer => some && floats > 0 ? new LayerRecord(layer, this.tokens.Length, whole) : null)];

        if (floats > 0)
        {
            Run(floats);
        }
    }

    /// <summary>How many tokens.</summary>
    public int Tokens => tokens.Length;

    /// <summary>Length of a final hidden state: of what the head is applied to.</summary>
    public int HiddenWidth => decoder.HiddenWidth;

    /// <summary>Length of a token's logits.</summary>
    public int VocabularySize => decoder.Head.Outputs;

    /// <summary>The least distance of kept inputs at which they, with those that are computed again between two of them, are at most so many.</summary>
    internal static int Stride(int layers, int most)
    {
        int best = 1;
        for (int n = 2; Held(best) > most && n <= layers; n++)
        {
            best = Held(n) < Held(best) ? n : best;
        }

        return best;

        int Held(int distance) => ((layers + distance - 1) / distance) + distance - 1;
    }

    /// <summary>Reads the final hidden states.</summary>
    /// <param name="hidden">Receives [tokens, <see cref="HiddenWidth"/>].</param>
    public void ReadHidden(Span<float> hidden)
    {
        if (Tokens > 0)
        {
            decoder.Finish(Output(Tokens), hidden, Tokens);
        }
    }

    /// <summary>Reads the logits.</summary>
    /// <param name="logits">Receives [tokens, <see cref="VocabularySize"/>].</param>
    public void ReadLogits(Span<float> logits)
    {
        if (Tokens > 0)
        {
            using var hidden = new Scratch(Tokens, HiddenWidth);
            ReadHidden(hidden.Span);
            decoder.Head.Apply(hidden.Span, logits, Tokens);
        }
    }

    /// <summary>A backward pass from the logits.</summary>
    /// <param name="gradient">[tokens, <see cref="VocabularySize"/>]. Tokens after the last that is not zero are left out of the work.</param>
    /// <param name="observer">Is told the gradients of all tensors.</param>
    /// <exception cref="ArgumentException"><paramref name="gradient"/> is of another length.</exception>
    public void BackwardFromLogits(ReadOnlySpan<float> gradient, IGradientObserver observer)
    {
        int count = Used(gradient, VocabularySize);
        if (count > 0)
        {
            using var hiddenGradient = new Scratch(count, HiddenWidth);
            HeadBackward(gradient[..(count * VocabularySize)], hiddenGradient.Span, count, observer);
            Backward(hiddenGradient.Span, count, observer);
        }
    }

    /// <summary>A backward pass from the final hidden states.</summary>
    /// <param name="gradient">[tokens, <see cref="HiddenWidth"/>]. Tokens after the last that is not zero are left out of the work.</param>
    /// <param name="observer">Is told the gradients of all tensors but the head's.</param>
    /// <exception cref="ArgumentException"><paramref name="gradient"/> is of another length.</exception>
    public void BackwardFromHidden(ReadOnlySpan<float> gradient, IGradientObserver observer)
    {
        int count = Used(gradient, HiddenWidth);
        if (count > 0)
        {
            Backward(gradient[..(count * HiddenWidth)], count, observer);
        }
    }

    /// <summary>Gives back what was kept.</summary>
    public void Dispose()
    {
        foreach (ref float[] values in kept.AsSpan())
        {
            ArrayPool<float>.Shared.Return(values);
            values = [];
        }

        Array.ForEach(records, record => record?.Dispose());
    }

    private static bool KeepsAll(Decoder decoder, int tokens, int room, long weights)
    {
        var layer = decoder.Layers[0];
        long all = (long)decoder.Layers.Count * (decoder.LayerWidth + LayerRecord.WholeWidth(layer)) * tokens;
        return layer.CanBeRecordedWhole && all <= MostFloats && all <= ((long)room * tokens) + weights;
    }

    private static float[][] Rent(int count, int floats) => [.. Enumerable.Range(0, count).Select(_ => ArrayPool<float>.Shared.Rent(floats))];

    private void Run(int floats)
    {
        using var x = new Scratch(floats);
        decoder.Embed(tokens, x.Span);
        for (int i = 0; i < decoder.Layers.Count; i++)
        {
            if (i % stride == 0)
            {
                x.Span.CopyTo(kept[i / stride]);
            }

            decoder.Layers[i].Apply(x.Span, Tokens, records[i]);
        }

        x.Span.CopyTo(kept[^1]);
    }

    private void HeadBackward(ReadOnlySpan<float> gradient, Span<float> hiddenGradient, int count, IGradientObserver observer)
    {
        using var hidden = new Scratch(count, HiddenWidth);
        decoder.Finish(Output(count), hidden.Span, count);
        decoder.Head.Backward(hidden.Span, gradient, hiddenGradient, count, observer);
    }

    // Attention is causal: what comes after the last token with a gradient has none.
    private void Backward(ReadOnlySpan<float> hiddenGradient, int count, IGradientObserver observer)
    {
        int layers = decoder.Layers.Count, floats = count * decoder.LayerWidth;
        using Scratch slope = new(floats), between = new(stride - 1, floats);
        decoder.FinishBackward(Output(count), hiddenGradient, slope.Span, count, observer);
        for (int i = layers - 1; i >= 0; i--)
        {
            int first = i / stride * stride;
            ReadOnlySpan<float> start = kept[i / stride].AsSpan(0, floats);
            if (i == layers - 1 || (i + 1) % stride == 0)
            {
                Recompute(start, first, i, between.Span, count);
            }

            var layer = decoder.Layers[i];
            var x = i == first ? start : between.Span.Slice((i - first - 1) * floats, floats);
            layer.Backward(x, records[i], slope.Span, count, observer);
        }

        decoder.EmbedBackward(tokens.AsSpan(0, count), slope.Span, observer);
    }

    /// <summary>The inputs of the layers after <paramref name="first"/> up to <paramref name="last"/>.</summary>
    private void Recompute(ReadOnlySpan<float> x, int first, int last, Span<float> inputs, int count)
    {
        for (int layer = first; layer < last; layer++)
        {
            var next = inputs.Slice((layer - first) * x.Length, x.Length);
            x.CopyTo(next);
            decoder.Layers[layer].Apply(next, count);
            x = next;
        }
    }

    private ReadOnlySpan<float> Output(int count) => kept[^1].AsSpan(0, count * decoder.LayerWidth);

    /// <summary>How many tokens there are up to the last with a gradient.</summary>
    private int Used(ReadOnlySpan<float> gradient, int width)
    {
        if (gradient.Length != (long)Tokens * width)
        {
            throw new ArgumentException($"{gradient.Length} floats for {Tokens} × {width} gradients", nameof(gradient));
        }

        return (gradient.LastIndexOfAnyExcept(0f) + width) / width;
    }
}
