using Compress.Core.Calibration;
using Compress.Core.Compression;
using Compress.Core.Evaluation;
using Spectre.Console;

namespace Compress.Cli.Console;

/// <summary>Progress on a terminal: a bar over the weights done, with the time that is left.</summary>
internal sealed class ProgressBar : IProgress<CompressionProgress>, IProgress<EvaluationProgress>, IProgress<CalibrationProgress>
{
    private readonly ProgressTask bar;
    private readonly string title;

    private ProgressBar(ProgressTask bar, string title)
    {
        this.bar = bar;
        this.title = title;
    }

    /// <summary>Shows the bar while the work runs, and takes it away afterwards.</summary>
    public static T Show<T>(IAnsiConsole console, string title, Func<ProgressBar, T> work) => console.Progress()
        .AutoClear(true)
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
        .Start(context => work(new ProgressBar(context.AddTask(Markup.Escape(title)), title)));

    void IProgress<EvaluationProgress>.Report(EvaluationProgress value) => Set(value.WindowsDone, value.WindowsTotal, ProgressLines.Words(value));

    void IProgress<CalibrationProgress>.Report(CalibrationProgress value) => Set(value.Done, value.Total, ProgressLines.Words(value));

    public void Report(CompressionProgress value)
    {
        if (value.Recovery is { } recovery)
        {
            Set(recovery.Step, recovery.Steps, ProgressLines.Words(recovery));
        }
        else if (value.Evaluation is { } evaluation)
        {
            Set(evaluation.WindowsDone, evaluation.WindowsTotal, ProgressLines.Words(evaluation));
        }
        else if (value.Calibration is { } calibration)
        {
            Set(calibration.Done, calibration.Total, ProgressLines.Words(calibration));
        }
        else
        {
            Set(value.WeightsDone, value.WeightsTotal,
                $"{value.LayersDone}/{value.LayersTotal} layers, {value.CacheHits} cached{(value.Waiting ? ProgressLines.Waiting : "")}");
        }
    }

    private void Set(long done, long total, string words)
    {
        lock (bar)
        {
            bool same = bar.MaxValue == Math.Max(1, total);
            bar.MaxValue = Math.Max(1, total);
            bar.Value = same ? Math.Max(bar.Value, done) : done; // reports of several threads may arrive out of order
            bar.Description = Markup.Escape($"{title}  {words}");
        }
    }
}
