using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Runtime.Kernels;

namespace Compress.Core.Recovery;

/// <summary>The loss of the model as a whole: the divergence of its predictions from its source's.</summary>
/// <param name="source">The source.</param>
/// <param name="packed">The model with all tensors in packed form; those that are trained are replaced.</param>
/// <param name="set">What is trained.</param>
/// <param name="windows">Tokens.</param>
/// <param name="temperature">What logits of both models are divided by.</param>
internal sealed class Distillation(LanguageModel source, LanguageModel packed, TrainableSet set, RecoveryWindows windows, double temperature) : ITrainingLoss
{
    public double Measure(float[] values, CancellationToken cancellationToken)
    {
        set.UseStored(packed, values);
        return Evaluator.Compare(source, packed, windows.HeldOut, null, cancellationToken).Kl;
    }

    public void Gradient(float[] values, int step, float[] gradient, CancellationToken cancellationToken)
    {
        set.UseValues(packed, values);
        var batch = windows.Batch(step);
        int tokens = batch.Sum(window => window.Length);
        var observer = set.Observer(values, gradient);
        foreach (int[] window in batch)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using Scratch expected = new(window.Length, source.VocabularySize), logits = new(window.Length, source.VocabularySize);
            source.Forward(window, expected.Span);
            using var pass = packed.Record(window);
            pass.ReadLogits(logits.Span);
            DivergenceGradient.Compute(logits.Span, expected.Span, window.Length, temperature, 1.0 / tokens);
            pass.BackwardFromLogits(logits.Span, observer);
        }
    }
}
