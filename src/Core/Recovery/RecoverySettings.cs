using System.Globalization;
using Compress.Core.Calibration;
using Compress.Core.Recipes;

namespace Compress.Core.Recovery;

/// <summary>How what is continuous in a packed model is trained against its source.</summary>
/// <param name="On">The text.</param>
public sealed record RecoverySettings(CalibrationSettings On)
{
    /// <summary>Where nothing else is said.</summary>
    public const int DefaultSteps = 200, DefaultTokens = 262_144, DefaultWindow = 256;

    /// <summary>Where nothing else is said.</summary>
    public const double DefaultLearningRate = 0.01;

    /// <summary>Windows whose gradients make a step.</summary>
    public const int Batch = 4;

    /// <summary>How blocks are trained first, one by one; null if they are not.</summary>
    public BlockSettings? Blocks { get; init; }

    /// <summary>Steps of the optimizer at most, for the model as a whole; 0 only if blocks are trained.</summary>
    public int Steps { get; init; } = DefaultSteps;

    /// <summary>No step begins later than this; null for no limit. Results then depend on the machine's speed.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>The greatest change of a parameter in a step, in units of its size.</summary>
    public double LearningRate { get; init; } = DefaultLearningRate;

    /// <summary>What logits of both models are divided by.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Where it stands in the recipe.</summary>
    public Position Position { get; init; }

    /// <summary>The canonical text of all that is not said by the windows of the text.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"steps={Steps} learningRate={LearningRate:R} temperature={Temperature:R}")
        + (Time is { } time ? string.Create(CultureInfo.InvariantCulture, $" seconds={time.TotalSeconds:R}") : "")
        + (Blocks is { } blocks ? $" {blocks}" : "");
}
