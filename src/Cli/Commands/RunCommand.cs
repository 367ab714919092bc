using System.CommandLine;
using Compress.Cli.Console;
using Compress.Core.Caching;
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
        var cacheMode = new Option<CacheMode>("--cache-mode")
        {
            Description = "What may be done with the cache: ReadWrite (default), ReadOnly, or Off.",
            HelpName = "MODE",
            CustomParser = argument =>
            {
                if (Enum.TryParse(argument.Tokens[0].Value, ignoreCase: true, out CacheMode mode) && Enum.IsDefined(mode)
                    && !char.IsAsciiDigit(argument.Tokens[0].Value[0]))
                {
                    return mode;
                }

                argument.AddError($"--cache-mode is '{argument.Tokens[0].Value}'; give ReadWrite, ReadOnly or Off");
                return default;
            },
        };
        var cacheMaxSize = CommonOptions.Size("--cache-max-size", "The size that the cache is kept below. Default: 20GB.");
        cacheMaxSize.DefaultValueFactory = _ => LayerCache.DefaultMaxBytes;
        var cacheSalt = new Option<string>("--cache-salt")
        {
            Description = "Any text: with another one, no layer is found in the cache.",
            HelpName = "TEXT",
            DefaultValueFactory = _ => "",
        };
        var noCache = new Option<bool>("--no-cache") { Description = "Neither read nor write the cache; the same as --cache-mode Off." };
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

        var command = new Command("run", "Compresses a model.")
        {
            model, recipe, output, cache, cacheMode, cacheMaxSize, cacheSalt, noCache, report, threads, force, layers,
        };
        CommonOptions.Exclude(command, noCache, cache, cacheMode);
        command.SetAction(parsed =>
        {
            string modelPath = session.Absolute(parsed.GetRequiredValue(model));
            string folder = session.Absolute(parsed.GetValue(output) ?? ".");
            var diagnostics = new DiagnosticBag();
            var mode = parsed.GetValue(noCache) ? CacheMode.Off : parsed.GetValue(cacheMode);
            var request = new CompressionRequest(modelPath, Absolute(parsed.GetValue(recipe)), Path.Combine(folder, $"{RecipeLocator.ModelName(modelPath)}.packed.safetensors"))
            {
                Cache = CommonOptions.OpenCache(
                    CommonOptions.CachePath(session, parsed.GetValue(cache)), mode, parsed.GetValue(cacheSalt)!, diagnostics),
                Threads = parsed.GetValue(threads),
                Force = parsed.GetValue(force),
            };
            int exitCode = Run(session, request, diagnostics, Absolute(parsed.GetValue(report)), parsed.GetValue(layers));
            request.Cache?.Tidy(parsed.GetValue(cacheMaxSize));
            return exitCode;
        });
        return command;

        string? Absolute(string? path) => path is null ? null : session.Absolute(path);
    }

    private static int Run(
        Session session, CompressionRequest request, DiagnosticBag diagnostics, string? reportPath, bool showLayers)
    {
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
        foreach (string line in Summary.Quality(report))
        {
            session.Terminal.Output.WriteLine(line);
        }

        return diagnostics.HasErrors ? ExitCodes.Errors : ExitCodes.Ok;
    }

    private static CompressionReport? WithProgress(
        Session session, string title, Func<IProgress<CompressionProgress>, CompressionReport?> work) =>
        session.Terminal.ErrorIsTerminal
            ? ProgressBar.Show(session.Terminal.RichError, title, work)
            : work(new ProgressLines(session.Terminal.Error, title, LineInterval, session.Clock));
}
