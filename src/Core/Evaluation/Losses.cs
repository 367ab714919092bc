using System.Numerics.Tensors;
using System.Text.Json.Serialization;
using Compress.Core.Numerics;

namespace Compress.Core.Evaluation;

/// <summary>Sums over predictions; adding them up gives those of more text.</summary>
/// <param name="Nll">Σ −ln p(token), in nats.</param>
/// <param name="Tokens">How many predictions.</param>
public readonly record struct LossSums(double Nll, long Tokens)
{
    /// <summary>The mean negative log-likelihood of a token, in nats.</summary>
    [JsonIgnore]
    public double Mean => Tokens == 0 ? double.NaN : Nll / Tokens;

    /// <summary>e to the mean negative log-likelihood.</summary>
    [JsonIgnore]
    public double Perplexity => Math.Exp(Mean);

    /// <summary>Of both.</summary>
    public static LossSums operator +(LossSums a, LossSums b) => new(a.Nll + b.Nll, a.Tokens + b.Tokens);
}

/// <summary>Losses of single predictions, from logits.</summary>
internal static class Losses
{
    /// <summary>Turns logits into logarithms of probabilities, in place.</summary>
    public static void LogSoftmax(Span<float> logits, Span<float> scratch)
    {
        float max = TensorPrimitives.Max<float>(logits);
        TensorPrimitives.Subtract(logits, max, logits);
        ElementaryVectors.Exp(logits, scratch[..logits.Length]);
        double sum = 0;
        foreach (float value in scratch[..logits.Length])
        {
            sum += value; // in double: vocabularies are long
        }

        TensorPrimitives.Subtract(logits, (float)Elementary.Log(sum), logits);
    }

    /// <summary>KL(P ‖ Q) = Σ p (ln p − ln q) in nats, from both logarithms.</summary>
    public static double Divergence(ReadOnlySpan<float> logP, ReadOnlySpan<float> logQ)
    {
        double sum = 0;
        for (int i = 0; i < logP.Length; i++)
        {
            sum += Elementary.Exp(logP[i]) * ((double)logP[i] - logQ[i]);
        }

        return sum;
    }
}
