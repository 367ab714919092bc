using System.CommandLine;
using Compress.Cli.Console;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes.Locating;
using Compress.Core.Reports;

namespace Compress.Cli.Commands;

/// <summary><c>compress run</c>: compresses one model.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    public static Command Create(Session session)
    {
        var model = new Argument<string>("MODEL") { Description = "The source model: a file or a folder." };
        var recipe = new Option<string>("--recipe")
        {
            Description = "The recipe. Default: <model>.compress.yaml or compress.yaml beside the model, else 4-bit HIGGS.",
            HelpName = "FILE",
        };
        var output = new Option<string>("--output")
        {
            Description = "The folder for <model>.packed.safetensors. Default: the current one.",
            HelpName = "DIR",
        };
        var cache = CommonOptions.Cache();
        var noCache = new Option<bool>("--no-cache") { Description = "Neither read nor write the cache." };
        var report = new Option<string>("--report") { Description = "Write a JSON report.", HelpName = "FILE" };
        var threads = new Option<int>("--threads") { Description = "Layers encoded at once. Default: one per processor.", HelpName = "N" };
        var force = new Option<bool>("--force") { Description = "Encode every layer anew, whatever the cache holds." };
        var layers = new Option<bool>("--layers") { Description = "Show a table of the layers." };
        threads.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && (!int.TryParse(token.Value, out int value) || value < 1))
            {
                result.AddError($"--threads is '{token.Value}'; give a whole number of at least 1");
            }
        });

        var command = new Command("run", "Compresses a model.") { model, recipe, output, cache, noCache, report, threads, force, layers };
        command.Validators.Add(result =>
        {
            if (result.GetResult(cache) is not null && result.GetValue(noCache))
            {
                result.AddError("--cache and --no-cache exclude each other");
            }
        });
        command.SetAction(parsed =>
        {
            string modelPath = session.Absolute(parsed.GetRequiredValue(model));
            string folder = session.Absolute(parsed.GetValue(output) ?? ".");
            var request = new CompressionRequest(modelPath, Absolute(parsed.GetValue(recipe)), Path.Combine(folder, $"{RecipeLocator.ModelName(modelPath)}.packed.safetensors"))
            {
                CacheDirectory = parsed.GetValue(noCache) ? null : CommonOptions.CachePath(session, parsed.GetValue(cache)),
                Threads = parsed.GetValue(threads),
                Force = parsed.GetValue(force),
            };
            return Run(session, request, Absolute(parsed.GetValue(report)), parsed.GetValue(layers));
        });
        return command;

        string? Absolute(string? path) => path is null ? null : session.Absolute(path);
    }

    private static int Run(Session session, CompressionRequest request, string? reportPath, bool showLayers)
    {
        var diagnostics = new DiagnosticBag();
        var report = WithProgress(session, RecipeLocator.ModelName(request.ModelPath), progress =>
            Compressor.Run(request, diagnostics, progress, session.Cancellation));
        foreach (var diagnostic in diagnostics.Items)
        {
            session.Terminal.Report(diagnostic);
        }

        if (report is null)
        {
            return ExitCodes.Errors;
        }

        if (reportPath is not null)
        {
            Failures.Writing(reportPath, "the report", () => ReportWriter.Write(report, reportPath));
        }

        if (showLayers)
        {
            Summary.Layers(report).Write(session.Terminal);
        }

        session.Terminal.Output.WriteLine($"{request.OutputPath}: {Summary.Sizes(report)}");
        session.Terminal.Output.WriteLine(Summary.Work(report));
        return diagnostics.HasErrors ? ExitCodes.Errors : ExitCodes.Ok;
    }

    private static CompressionReport? WithProgress(
        Session session, string title, Func<IProgress<CompressionProgress>, CompressionReport?> work) =>
        session.Terminal.ErrorIsTerminal
            ? ProgressBar.Show(session.Terminal.RichError, title, work)
            : work(new ProgressLines(session.Terminal.Error, title, LineInterval, session.Clock));
}
