using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Blocks;

namespace Compress.Core.Allocation;

/// <summary>
/// A window of tokens that the source model has been run on. What went into each layer is kept, so that a model which differs from the source in one
/// tensor runs from the layer on that has it.
/// </summary>
internal sealed class ProbedWindow
{
    private readonly int[] tokens;
    private readonly int vocabulary;
    private readonly float[][] inputs;
    private readonly float[] source, changed, scratch;
    private readonly double sourceNll;

    /// <summary>Runs the source model.</summary>
    /// <param name="model">The source.</param>
    /// <param name="tokens">At least two, the first at position 0.</param>
    public ProbedWindow(LanguageModel model, int[] tokens)
    {
        var decoder = model.Decoder;
        (this.tokens, vocabulary) = (tokens, model.VocabularySize);
        (source, changed, scratch) = (new float[Count * vocabulary], new float[Count * vocabulary], new float[vocabulary]);
        inputs = new float[decoder.Layers.Count + 1][];
        float[] x = Embed(decoder);
        for (int layer = 0; layer < decoder.Layers.Count; layer++)
        {
            inputs[layer] = [.. x];
            decoder.Layers[layer].Apply(x, Count);
        }

        inputs[^1] = x;
        Predict(decoder, x, source);
        sourceNll = Nll(source);
    }

    /// <summary>Predictions: one for each token but the first.</summary>
    public int Count => tokens.Length - 1;

    /// <summary>How far a changed model's predictions are from the source's.</summary>
    /// <param name="model">The source model, but for some tensors.</param>
    /// <param name="firstLayer">The first layer of the decoder that has one of these; -1 if embeddings have.</param>
    /// <returns>Σ KL(source ‖ changed) in nats, and how much Σ −ln p(token) has grown.</returns>
    public (double Divergence, double Nll) Run(LanguageModel model, int firstLayer)
    {
        var decoder = model.Decoder;
        float[] x = firstLayer < 0 ? Embed(decoder) : [.. inputs[firstLayer]];
        for (int layer = Math.Max(firstLayer, 0); layer < decoder.Layers.Count; layer++)
        {
            decoder.Layers[layer].Apply(x, Count);
        }

        Predict(decoder, x, changed);
        double divergence = 0;
        for (int row = 0; row < Count; row++)
        {
            divergence += Losses.Divergence(Row(source, row), Row(changed, row));
        }

        return (divergence, Nll(changed) - sourceNll);
    }

    private float[] Embed(Decoder decoder)
    {
        float[] x = new float[Count * decoder.LayerWidth];
        decoder.Embed(tokens.AsSpan(0, Count), x);
        return x;
    }

    private void Predict(Decoder decoder, float[] x, float[] logProbabilities)
    {
        float[] hidden = new float[Count * decoder.HiddenWidth];
        decoder.Finish(x, hidden, Count);
        decoder.Head.Apply(hidden, logProbabilities, Count);
        for (int row = 0; row < Count; row++)
        {
            Losses.LogSoftmax(Row(logProbabilities, row), scratch);
        }
    }

    private double Nll(float[] logProbabilities)
    {
        double nll = 0;
        for (int row = 0; row < Count; row++)
        {
            nll -= Row(logProbabilities, row)[tokens[row + 1]];
        }

        return nll;
    }

    private Span<float> Row(float[] values, int row) => values.AsSpan(row * vocabulary, vocabulary);
}
