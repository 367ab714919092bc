using System.Text.Json.Serialization;
using Compress.Core.LanguageModels;

namespace Compress.Core.Evaluation;

/// <summary>How far an evaluation has come.</summary>
/// <param name="WindowsDone">Windows that have gone through the model.</param>
/// <param name="WindowsTotal">All of them.</param>
public readonly record struct EvaluationProgress(int WindowsDone, int WindowsTotal);

/// <summary>Sums over the predictions of a source model and a packed one on the same text.</summary>
/// <param name="Source">Losses of the source.</param>
/// <param name="Packed">Losses of the packed model.</param>
/// <param name="Divergence">Σ KL(source ‖ packed), in nats.</param>
public readonly record struct ComparedSums(LossSums Source, LossSums Packed, double Divergence)
{
    /// <summary>The mean divergence of a token, in nats.</summary>
    [JsonIgnore]
    public double Kl => Source.Tokens == 0 ? double.NaN : Divergence / Source.Tokens;
}

/// <summary>Sends windows of tokens through language models and adds up their losses.</summary>
public static class Evaluator
{
    /// <summary>The losses of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="windows">What it predicts.</param>
    /// <param name="progress">Told after each window.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static LossSums Measure(
        ICausalModel model, IReadOnlyList<TokenWindow> windows, IProgress<EvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        var buffer = new LogitBuffer(model, windows);
        var sums = default(LossSums);
        for (int i = 0; i < windows.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            buffer.Fill(windows[i]);
            sums += Losses(buffer, windows[i]);
            progress?.Report(new(i + 1, windows.Count));
        }

        return sums;
    }

    /// <summary>The losses of a source model and a packed one, and how far apart their predictions are.</summary>
    /// <param name="source">The source.</param>
    /// <param name="packed">The packed model.</param>
    /// <param name="windows">What both predict.</param>
    /// <param name="progress">Told after each window.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static ComparedSums Compare(
        ICausalModel source,
        ICausalModel packed,
        IReadOnlyList<TokenWindow> windows,
        IProgress<EvaluationProgress>? progress,
        CancellationToken cancellationToken)
    {
        LogitBuffer p = new(source, windows), q = new(packed, windows);
        var sums = default(ComparedSums);
        for (int i = 0; i < windows.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var window = windows[i];
            p.Fill(window);
            q.Fill(window);
            double divergence = 0;
            for (int token = window.FirstCounted; token < window.Tokens.Length; token++)
            {
                divergence += Evaluation.Losses.Divergence(p.Before(token), q.Before(token));
            }

            sums = new(sums.Source + Losses(p, window), sums.Packed + Losses(q, window), sums.Divergence + divergence);
            progress?.Report(new(i + 1, windows.Count));
        }

        return sums;
    }

    private static LossSums Losses(LogitBuffer buffer, TokenWindow window)
    {
        double nll = 0;
        for (int token = window.FirstCounted; token < window.Tokens.Length; token++)
        {
            nll -= buffer.Before(token)[window.Tokens[token]];
        }

        return new(nll, window.Counted);
    }

    /// <summary>Logarithms of the probabilities that a model gives to the tokens of one window.</summary>
    private sealed class LogitBuffer(ICausalModel model, IReadOnlyList<TokenWindow> windows)
    {
        private readonly float[] logits = new float[checked(windows.Select(window => window.Tokens.Length - 1).DefaultIfEmpty().Max() * model.VocabularySize)];
        private readonly float[] scratch = new float[model.VocabularySize];

        /// <summary>What was predicted for the token of that index, from those before it.</summary>
        public ReadOnlySpan<float> Before(int token) => Row(token - 1);

        public void Fill(TokenWindow window)
        {
            // The last token predicts nothing that is known.
            int count = window.Tokens.Length - 1;
            model.Forward(window.Tokens.AsSpan(0, count), logits.AsSpan(0, count * model.VocabularySize));
            for (int row = window.FirstCounted - 1; row < count; row++)
            {
                Evaluation.Losses.LogSoftmax(Row(row), scratch);
            }
        }

        private Span<float> Row(int row) => logits.AsSpan(row * model.VocabularySize, model.VocabularySize);
    }
}
