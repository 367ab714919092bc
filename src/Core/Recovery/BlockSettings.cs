using System.Globalization;

namespace Compress.Core.Recovery;

/// <summary>How each transformer block is trained to give what the source's does.</summary>
public sealed record BlockSettings
{
    /// <summary>Where nothing else is said.</summary>
    public const int DefaultSteps = 50;

    /// <summary>Where nothing else is said.</summary>
    public const double DefaultLearningRate = 0.01;

    /// <summary>Steps of the optimizer at most, for each block.</summary>
    public int Steps { get; init; } = DefaultSteps;

    /// <summary>How long the steps of all blocks may take; null for no limit. Results then depend on the machine's speed.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>The greatest change of a parameter in a step, in units of its size.</summary>
    public double LearningRate { get; init; } = DefaultLearningRate;

    /// <summary>The canonical text.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"blockSteps={Steps} blockLearningRate={LearningRate:R}")
        + (Time is { } time ? string.Create(CultureInfo.InvariantCulture, $" blockSeconds={time.TotalSeconds:R}") : "");
}
