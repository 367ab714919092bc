using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Compress.Cli.Console;
using Compress.Cli.Inspection;
using Compress.Core.Emit;
using Compress.Core.Evaluation;
using Compress.Core.Models;

namespace Compress.Cli.Commands;

/// <summary><c>compress eval</c>: perplexity of a language model and of its packed form, and how far their predictions are apart.</summary>
internal static class EvalCommand
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    public static Command Create(Session session)
    {
        var model = new Argument<string>("MODEL") { Description = "The source model: a Hugging Face folder, or a file of one." };
        var packed = new Option<string>("--packed") { Description = "A packed model made of it, to compare with.", HelpName = "FILE" };
        var report = new Option<string>("--report") { Description = "Write a JSON report.", HelpName = "FILE" };
        var stateDict = CommonOptions.StateDict();
        var text = new EvaluationOptions(required: true);
        var cache = CommonOptions.Cache();
        var noCache = CommonOptions.NoCache();
        var command = new Command("eval", "Measures the perplexity of a language model on a held-out text.") { model, stateDict, packed, report, cache, noCache };
        text.AddTo(command);
        CommonOptions.Exclude(command, noCache, cache);
        command.SetAction(parsed =>
        {
            var clock = Stopwatch.StartNew();
            string modelPath = session.Absolute(parsed.GetRequiredValue(model));
            using var source = ModelFile.Open(modelPath, CommonOptions.StateDictOf(modelPath, parsed.GetValue(stateDict)));
            string? packedPath = parsed.GetValue(packed) is { } path ? session.Absolute(path) : null;
            if (packedPath is not null)
            {
                PackedFile.RequireTensors(packedPath).Dispose();
            }

            string? folder = parsed.GetValue(noCache) ? null : CommonOptions.CachePath(session, parsed.GetValue(cache));
            using var evaluation = new ModelEvaluation(source, folder is null ? null : new EvaluationCache(folder));
            var settings = text.Read(parsed, session)!;
            var result = session.Terminal.ErrorIsTerminal
                ? ProgressBar.Show(session.Terminal.RichError, Path.GetFileName(settings.Text), Run)
                : Run(new ProgressLines(session.Terminal.Error, Path.GetFileName(settings.Text), LineInterval, session.Clock));
            var summary = EvalReport.Of(source.Header.Files[0], packedPath, result, clock.ElapsedMilliseconds);
            if (parsed.GetValue(report) is { } reportPath)
            {
                string file = session.Absolute(reportPath);
                Failures.Writing(file, "the report", () => AtomicFile.Write(file, stream => JsonSerializer.Serialize(stream, summary, JsonForms.Default.EvalReport)));
            }

            Show(summary, session.Terminal);
            return ExitCodes.Ok;

            EvaluationResult Run(IProgress<EvaluationProgress> progress) =>
                evaluation.Run(settings, packedPath, packedPath is not null, progress, session.Cancellation);
        });
        return command;
    }

    private static void Show(EvalReport report, Terminal terminal)
    {
        var table = new TextTable("model", ">perplexity", ">nll", ">KL");
        table.Add("source", Number(report.SourcePerplexity, "F4"), Number(report.SourceNll, "F5"), "-");
        if (report.Packed is not null)
        {
            table.Add("packed", Number(report.Perplexity, "F4"), Number(report.Nll, "F5"), Number(report.Kl!.Value, "F5"));
        }

        table.Write(terminal);
        string bos = report.Bos is { } token ? string.Create(CultureInfo.InvariantCulture, $"BOS {token}") : "no BOS";
        terminal.Output.WriteLine(
            $"{Quantity.Count(report.Tokens)} tokens of {report.Text}: {report.Unit}, window {report.Window}, stride {Text(report.Stride)}, limit {Text(report.Limit)}, {bos}; "
            + Quantity.Duration(report.Milliseconds));
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Text(int? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "none";
}

/// <summary>What <c>compress eval</c> writes. Perplexity and nll are the packed model's, where one is given.</summary>
internal sealed record EvalReport(
    string Model,
    string? Packed,
    double Perplexity,
    double Nll,
    long Tokens,
    double? Kl,
    double SourcePerplexity,
    double SourceNll,
    string Text,
    string Unit,
    int Window,
    int? Stride,
    int? Limit,
    int? Bos,
    long Milliseconds)
{
    /// <summary>The report of a result.</summary>
    public static EvalReport Of(string model, string? packed, EvaluationResult result, long milliseconds)
    {
        var losses = result.Packed ?? result.Source;
        return new(
            model,
            packed,
            losses.Perplexity,
            losses.Mean,
            losses.Tokens,
            result.Kl,
            result.Source.Perplexity,
            result.Source.Mean,
            result.Settings.Text,
            result.Settings.Unit == TextUnit.Paragraph ? "paragraph" : "document",
            result.Window,
            result.Settings.Stride,
            result.Settings.Limit,
            result.Bos,
            milliseconds);
    }
}
