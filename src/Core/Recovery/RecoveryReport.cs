using System.Text.Json.Serialization;

namespace Compress.Core.Recovery;

/// <summary>How far a recovery has come.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">All of them.</param>
/// <param name="Loss">The least loss on the held-out part so far: the divergence in nats per token; of a block, as <see cref="BlockReport.ErrorAfter"/>.</param>
/// <param name="Block">The block that is trained, from 1; 0 for the model as a whole.</param>
/// <param name="Blocks">How many blocks there are.</param>
public readonly record struct RecoveryProgress(int Step, int Steps, double Loss, int Block = 0, int Blocks = 0);

/// <summary>What a recovery did.</summary>
/// <param name="Steps">Steps done, of the model as a whole.</param>
/// <param name="BestStep">The step whose parameters were taken: 0 if these steps made nothing better.</param>
/// <param name="HeldOutTokens">Tokens of the text that were not trained on.</param>
/// <param name="KlBefore">Mean divergence from the source's predictions on them, in nats per token, before.</param>
/// <param name="KlAfter">The same of what was taken.</param>
/// <param name="Parameters">Numbers trained.</param>
/// <param name="Settings">How, in words <c>name=value</c>.</param>
public sealed record RecoveryReport(int Steps, int BestStep, long HeldOutTokens, double KlBefore, double KlAfter, long Parameters, string Settings)
{
    /// <summary>The divergence when all blocks were trained, before the model was as a whole; null if blocks were not trained.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? KlAfterBlocks { get; init; }

    /// <summary>Each block, the first first; null if blocks were not trained.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<BlockReport>? Blocks { get; init; }

    /// <summary>True if what was encoded was the best, and all stays as it was.</summary>
    [JsonIgnore]
    public bool MadeNothingBetter => BestStep == 0 && (Blocks is null || KlAfterBlocks > KlBefore || Blocks.All(block => block.BestStep == 0));
}

/// <summary>What training one block did.</summary>
/// <param name="Steps">Steps done.</param>
/// <param name="BestStep">The step whose parameters were taken: 0 if training made nothing better.</param>
/// <param name="ErrorBefore">The squared error of its outputs on the held-out part, over the squares of what the source's block adds to its input, before.</param>
/// <param name="ErrorAfter">The same of what was taken.</param>
public sealed record BlockReport(int Steps, int BestStep, double ErrorBefore, double ErrorAfter);
