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
    public const double DefaultLearningRate = 0.003;

    /// <summary>Windows whose gradients make a step.</summary>
    public const int Batch = 4;

    /// <summary>Steps of the optimizer at most.</summary>
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
        + (Time is { } time ? string.Create(CultureInfo.InvariantCulture, $" seconds={time.TotalSeconds:R}") : "");
}

/// <summary>How far a recovery has come.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">All of them.</param>
/// <param name="Kl">The best divergence on the held-out part so far, in nats per token.</param>
public readonly record struct RecoveryProgress(int Step, int Steps, double Kl);

/// <summary>What a recovery did.</summary>
/// <param name="Steps">Steps done.</param>
/// <param name="BestStep">The step whose parameters were taken: 0 if training made nothing better, and all stayed as it was.</param>
/// <param name="HeldOutTokens">Tokens of the text that were not trained on.</param>
/// <param name="KlBefore">Mean divergence from the source's predictions on them, in nats per token, before.</param>
/// <param name="KlAfter">The same of what was taken.</param>
/// <param name="Parameters">Numbers trained.</param>
/// <param name="Settings">How, in words <c>name=value</c>.</param>
public sealed record RecoveryReport(int Steps, int BestStep, long HeldOutTokens, double KlBefore, double KlAfter, long Parameters, string Settings);
