using Compress.Core.Recipes;

namespace Compress.Core.Allocation;

/// <summary>What errors are given to layers to measure their cost.</summary>
public enum ProbeKind
{
    /// <summary>Those of the forms that the layer may get, so far as they are not small.</summary>
    Grid,

    /// <summary>Random noise of four sizes.</summary>
    Noise,
}

/// <summary>In what the cost of errors is measured.</summary>
public enum SensitivityMetric
{
    /// <summary>The mean divergence of predictions from the source's.</summary>
    Kl,

    /// <summary>The increase of ln perplexity on a text.</summary>
    Perplexity,
}

/// <summary>How a budget's sensitivities are measured.</summary>
public sealed record SensitivitySettings
{
    /// <summary>The relative standard error that costs are measured to, where nothing else is said.</summary>
    public const double DefaultStandardError = 0.1;

    /// <summary>The most tokens that a probe is measured on, where nothing else is said.</summary>
    public const int DefaultTokens = 4096;

    /// <summary>The errors that layers are given.</summary>
    public ProbeKind Probe { get; init; }

    /// <summary>What of them is measured.</summary>
    public SensitivityMetric Metric { get; init; }

    /// <summary>True for the calibration text, false for random tokens; null for the text where the recipe has one.</summary>
    public bool? OnText { get; init; }

    /// <summary>The relative standard error until which more tokens are used.</summary>
    public double StandardError { get; init; } = DefaultStandardError;

    /// <summary>The most tokens that a probe is measured on.</summary>
    public int Tokens { get; init; } = DefaultTokens;

    /// <summary>Where the recipe says so; null if it is silent.</summary>
    public Position? Position { get; init; }
}
