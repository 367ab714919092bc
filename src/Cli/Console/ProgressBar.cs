using Compress.Core.Compression;
using Compress.Core.Evaluation;
using Spectre.Console;

namespace Compress.Cli.Console;

/// <summary>Progress on a terminal: a bar over the weights done, with the time that is left.</summary>
internal sealed class ProgressBar : IProgress<CompressionProgress>, IProgress<EvaluationProgress>
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

    void IProgress<EvaluationProgress>.Report(EvaluationProgress value)
    {
        lock (bar)
        {
            bar.MaxValue = Math.Max(1, value.WindowsTotal);
            bar.Value = value.WindowsDone;
            bar.Description = Markup.Escape($"{title}  {ProgressLines.Words(value)}");
        }
    }

    public void Report(CompressionProgress value)
    {
        if (value.Evaluation is { } evaluation)
        {
            ((IProgress<EvaluationProgress>)this).Report(evaluation);
            return;
        }

        lock (bar)
        {
            bar.MaxValue = Math.Max(1, value.WeightsTotal);
            bar.Value = Math.Max(bar.Value, value.WeightsDone); // reports of several threads may arrive out of order
            bar.Description = Markup.Escape($"{title}  {value.LayersDone}/{value.LayersTotal} layers, {value.CacheHits} cached{(value.Waiting ? ProgressLines.Waiting : "")}");
        }
    }
}
