using Compress.Core.Calibration;
using Compress.Core.Evaluation;
using Compress.Core.Recipes;
using Compress.Runtime.Numerics;

namespace Compress.Core.Recovery;

/// <summary>A text for a recovery: windows that it is trained on, and the last ones, a tenth of all, which it is not.</summary>
internal sealed class RecoveryWindows
{
    private readonly ulong seed;

    /// <exception cref="Diagnostics.CompressException">There are fewer than two windows.</exception>
    public RecoveryWindows(CalibrationText text, RecoverySettings settings)
    {
        var all = text.Windows.Where(window => window.Length > 1).ToList();
        if (all.Count < 2)
        {
            throw TextTokens.NothingToPredict(settings.On.Text);
        }

        int held = Math.Max(1, all.Count / 10);
        (Trained, seed) = (all[..^held], settings.On.Seed);
        HeldOut = [.. all[^held..].Select(window => new TokenWindow(window, 1))];
    }

    /// <summary>Windows that it is trained on.</summary>
    public IReadOnlyList<int[]> Trained { get; }

    /// <summary>Windows on which results are measured.</summary>
    public IReadOnlyList<TokenWindow> HeldOut { get; }

    /// <summary>Those of a step, drawn at random.</summary>
    public IReadOnlyList<int[]> Batch(int step) =>
        [.. Enumerable.Range(step * RecoverySettings.Batch, RecoverySettings.Batch).Select(draw => Trained[(int)(Signs.Word(seed, draw) % (ulong)Trained.Count)])];
}
