using Compress.Core.Codecs;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Blocks;
using Compress.Runtime.Kernels;

namespace Compress.Core.Calibration;

/// <summary>How far the collection of statistics has come.</summary>
/// <param name="Done">Windows times stages of the model: what has gone through them.</param>
/// <param name="Total">All of them.</param>
public readonly record struct CalibrationProgress(long Done, long Total);

/// <summary>
/// Sends windows of tokens through a language model, one stage after the other, and collects moments of the inputs of its linear layers. Memory
/// holds the hidden states of all windows between two stages (tokens · width · 4 bytes), the sums of one stage (8 · in² bytes for each input in
/// it), and the activations of one window; however many layers there are.
/// </summary>
internal sealed class Calibrator(LanguageModel model, IReadOnlyList<int[]> windows)
{
    private const int HeadTokens = 256;

    private readonly Decoder decoder = model.Decoder;

    /// <summary>Collects.</summary>
    /// <param name="wanted">What is wanted of the inputs of a group of layers. Stages after the last with anything wanted are not run.</param>
    /// <param name="done">Given the moments of each group with anything wanted, in the order of stages.</param>
    /// <param name="covariances">Of which layers the covariance of outputs is wanted.</param>
    /// <param name="covarianceDone">Given it, after the moments of the same stage.</param>
    /// <param name="progress">Told after each window in each stage.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void Run(
        Func<LinearGroup, StatisticKinds> wanted,
        Action<LinearGroup, InputMoments> done,
        Func<Linear, bool> covariances,
        Action<Linear, OutputCovariance> covarianceDone,
        IProgress<CalibrationProgress>? progress,
        CancellationToken cancellationToken)
    {
        var stages = decoder.Stages;
        int count = stages.Count;
        while (count > 0 && stages[count - 1].All(group => wanted(group) == StatisticKinds.None && !group.Layers.Any(covariances)))
        {
            count--;
        }

        float[][] states = new float[windows.Count][];
        for (int stage = 0; stage < count; stage++)
        {
            var moments = stages[stage].Where(group => wanted(group) != StatisticKinds.None)
                .Select(group => (Group: group, Moments: new InputMoments(group.First.Inputs, wanted(group)))).ToList();
            var outputs = stages[stage].SelectMany(group => group.Layers).Where(covariances).Select(layer => (Layer: layer, Covariance: new OutputCovariance(layer.Outputs))).ToList();
            try
            {
                outputs.ForEach(pair => pair.Layer.OutputObserver = pair.Covariance);
                moments.ForEach(pair => pair.Group.First.Observer = pair.Moments);
                for (int window = 0; window < windows.Count; window++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    states[window] = Apply(stage, windows[window], states[window]);
                    progress?.Report(new(((long)stage * windows.Count) + window + 1, (long)count * windows.Count));
                }
            }
            finally
            {
                moments.ForEach(pair => pair.Group.First.Observer = null);
                outputs.ForEach(pair => pair.Layer.OutputObserver = null);
            }

            foreach (var (group, sums) in moments)
            {
                cancellationToken.ThrowIfCancellationRequested();
                done(group, sums);
            }

            foreach (var (layer, covariance) in outputs)
            {
                cancellationToken.ThrowIfCancellationRequested();
                covarianceDone(layer, covariance);
            }
        }
    }

    // The state after a stage; of a layer, in the same array.
    private float[] Apply(int stage, int[] tokens, float[] state)
    {
        int layer = stage - 1;
        if (stage == 0)
        {
            state = new float[checked(tokens.Length * decoder.LayerWidth)];
            decoder.Embed(tokens, state);
        }
        else if (layer < decoder.Layers.Count)
        {
            decoder.Layers[layer].Apply(state, tokens.Length);
        }
        else if (layer == decoder.Layers.Count)
        {
            float[] hidden = new float[checked(tokens.Length * decoder.HiddenWidth)];
            decoder.Finish(state, hidden, tokens.Length);
            state = hidden;
        }
        else
        {
            ApplyHead(state, tokens.Length);
        }

        return state;
    }

    // What comes out of the head is of use to an observer alone, and too much for all tokens at once.
    private void ApplyHead(float[] state, int tokens)
    {
        if (decoder.Head.OutputObserver is null)
        {
            decoder.Head.Observer?.Add(state, tokens);
            return;
        }

        for (int first = 0; first < tokens; first += HeadTokens)
        {
            int count = Math.Min(HeadTokens, tokens - first);
            using var logits = new Scratch(count, decoder.Head.Outputs);
            decoder.Head.Apply(state.AsSpan(first * decoder.HiddenWidth, count * decoder.HiddenWidth), logits.Span, count);
        }
    }
}
