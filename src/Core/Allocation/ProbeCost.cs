namespace Compress.Core.Allocation;

/// <summary>What an error of one tensor was measured to cost, in nats per token.</summary>
/// <param name="RelativeMse">The error's t².</param>
/// <param name="Kl">The mean divergence of predictions from the source's.</param>
/// <param name="KlError">Its standard error, from how windows differ.</param>
/// <param name="LnPerplexity">The increase of ln perplexity, mean of the error and its mirror image; NaN on random tokens.</param>
/// <param name="LnPerplexityError">Its standard error.</param>
/// <param name="Tokens">Predictions.</param>
public readonly record struct ProbeCost(double RelativeMse, double Kl, double KlError, double LnPerplexity, double LnPerplexityError, long Tokens);

/// <summary>Sums over windows, and how far these scatter.</summary>
internal sealed class WindowSums
{
    private readonly List<(double Kl, double Nll, int Tokens)> windows = [];

    public int Count => windows.Count;

    public void Add(double kl, double nll, int tokens) => windows.Add((kl, nll, tokens));

    /// <summary>Means with their standard errors: those of a ratio of sums, as windows differ in length.</summary>
    public ProbeCost Result(double relativeMse)
    {
        long tokens = windows.Sum(window => (long)window.Tokens);
        double kl = Sum(window => window.Kl) / tokens, nll = Sum(window => window.Nll) / tokens;
        return new(relativeMse, kl, Error(window => window.Kl - (kl * window.Tokens)), nll, Error(window => window.Nll - (nll * window.Tokens)), tokens);

        double Error(Func<(double Kl, double Nll, int Tokens), double> off) => windows.Count < 2
            ? double.PositiveInfinity
            : Math.Sqrt(Sum(window => off(window) * off(window)) * windows.Count / (windows.Count - 1)) / tokens;
    }

    private double Sum(Func<(double Kl, double Nll, int Tokens), double> of)
    {
        double sum = 0;
        foreach (var window in windows)
        {
            sum += of(window);
        }

        return sum;
    }
}
