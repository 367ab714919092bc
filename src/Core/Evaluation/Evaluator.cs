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
        var predictions = new Predictions(model, windows);
        var sums = default(LossSums);
        for (int i = 0; i < windows.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var window = windows[i];
            double nll = 0;
            predictions.Read(window);
            foreach (var block in predictions.Blocks(window))
            {
                predictions.Fill(block);
                nll += predictions.Nll(block, window);
            }

            sums += new LossSums(nll, window.Counted);
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
        Predictions p = new(source, windows), q = new(packed, windows);
        var sums = default(ComparedSums);
        for (int i = 0; i < windows.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var window = windows[i];
            double sourceNll = 0, packedNll = 0, divergence = 0;
            p.Read(window);
            q.Read(window);
            foreach (var block in p.Blocks(window))
            {
                p.Fill(block);
                q.Fill(block);
                sourceNll += p.Nll(block, window);
                packedNll += q.Nll(block, window);
                for (int token = block.First; token < block.End; token++)
                {
                    divergence += Losses.Divergence(p.Of(token), q.Of(token));
                }
            }

            sums = new(sums.Source + new LossSums(sourceNll, window.Counted), sums.Packed + new LossSums(packedNll, window.Counted), sums.Divergence + divergence);
            progress?.Report(new(i + 1, windows.Count));
        }

        return sums;
    }
}
