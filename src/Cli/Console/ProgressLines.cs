using System.Globalization;
using Compress.Core.Calibration;
using Compress.Core.Compression;
using Compress.Core.Evaluation;
using Compress.Core.Recovery;

namespace Compress.Cli.Console;

/// <summary>Progress as plain lines, for logs: one each interval at most, and none for work that is quicker than that.</summary>
/// <param name="writer">Receives the lines.</param>
/// <param name="prefix">Begins each line.</param>
/// <param name="interval">The least time between two lines, and before the first.</param>
/// <param name="clock">The clock.</param>
internal sealed class ProgressLines(TextWriter writer, string prefix, TimeSpan interval, TimeProvider clock) : IProgress<CompressionProgress>, IProgress<EvaluationProgress>, IProgress<CalibrationProgress>
{
    /// <summary>Added while another process encodes what is left.</summary>
    public const string Waiting = "; another build is encoding the rest";

    private readonly Lock gate = new();
    private long last = clock.GetTimestamp();

    /// <summary><c>3 of 80 windows evaluated</c>.</summary>
    public static string Words(EvaluationProgress value) => $"{value.WindowsDone} of {value.WindowsTotal} windows evaluated";

    /// <summary><c>calibrating, 40 %</c>.</summary>
    public static string Words(CalibrationProgress value) => string.Create(CultureInfo.InvariantCulture, $"calibrating, {100 * value.Done / Math.Max(1, value.Total)} %");

    /// <summary><c>step 40 of 200, held-out KL 0.0512</c>; <c>block 2 of 6, step 70 of 300, held-out error 0.0512</c>.</summary>
    public static string Words(RecoveryProgress value) => value.Block == 0
        ? string.Create(CultureInfo.InvariantCulture, $"step {value.Step} of {value.Steps}, held-out KL {value.Loss:0.0000}")
        : string.Create(CultureInfo.InvariantCulture, $"block {value.Block} of {value.Blocks}, step {value.Step} of {value.Steps}, held-out error {value.Loss:0.0000}");

    public void Report(CompressionProgress value) => Write(
        value.Recovery is { } recovery ? Words(recovery)
        : value.Evaluation is { } evaluation ? Words(evaluation)
        : value.Calibration is { } calibration ? Words(calibration)
        : $"{value.LayersDone}/{value.LayersTotal} layers, {value.CacheHits} cached{(value.WithinLayer ? Part(value) : "")}{(value.Waiting ? Waiting : "")}");

    // Explicit, so that a progress can be made by 'new(…)' where it is plain which.
    void IProgress<EvaluationProgress>.Report(EvaluationProgress value) => Write(Words(value));

    void IProgress<CalibrationProgress>.Report(CalibrationProgress value) => Write(Words(value));

    private static string Part(CompressionProgress value) => string.Create(CultureInfo.InvariantCulture, $"; {100.0 * value.WeightsDone / Math.Max(1, value.WeightsTotal):0} % of the weights");

    private void Write(string words)
    {
        lock (gate)
        {
            if (clock.GetElapsedTime(last) < interval)
            {
                return;
            }

            last = clock.GetTimestamp();
            writer.WriteLine($"{prefix}: {words}");
        }
    }
}
