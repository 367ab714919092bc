using System.CommandLine;
using System.Text.Json;
using Compress.Cli.Builds;
using Compress.Cli.Console;
using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Explaining;
using Compress.Core.Recipes.Locating;
using Compress.Core.Reports;
using Compress.Core.Reports.Html;

namespace Compress.Cli.Commands;

/// <summary>
/// <c>compress msbuild</c>: the package's engine, started by its MSBuild task. Everything goes to standard output, where MSBuild
/// recognizes diagnostics by their form; other lines begin with <c>progress: </c>, <c>summary: </c>
/// or <c>explain: </c>.
/// </summary>
internal static class MsBuildCommand
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    public static Command Create(Session session)
    {
        var file = new Argument<string>("REQUEST") { Description = "The request, a JSON file." };
        var command = new Command("msbuild", "Compresses the models of a build; started by the Compress.Tasks package.") { file };
        command.Hidden = true;
        command.SetAction(parsed => Run(session, session.Absolute(parsed.GetRequiredValue(file))));
        return command;
    }

    private static int Run(Session session, string requestPath)
    {
        var output = session.Terminal.Output;
        BuildRequest request;
        try
        {
            request = BuildRequest.Read(requestPath);
        }
        catch (CompressException exception)
        {
            output.WriteLine(exception.Diagnostic);
            return ExitCodes.Errors;
        }

        if (request.Parent is { } parent)
        {
            session.Interruption.StopWithParent(parent);
        }

        var diagnostics = new DiagnosticBag();
        var cache = request.Models.Count == 0
            ? null
            : CommonOptions.OpenCache(request.Cache ?? CacheDirectory.Default, request.CacheMode, request.CacheSalt, diagnostics);
        foreach (var diagnostic in diagnostics.Items)
        {
            output.WriteLine(diagnostic);
        }

        bool failed = false;
        var pages = new List<PageModel>();
        foreach (var model in request.Models)
        {
            failed |= !Compress(session, request, model, cache, output, pages);
        }

        if (request.Page is { } page && pages.Count > 0)
        {
            failed |= !WritePage(new PageData(pages), page, output);
        }

        cache?.Tidy(request.CacheMaxBytes);
        return failed ? ExitCodes.Errors : ExitCodes.Ok;
    }

    // A model that fails does not stop the others.
    private static bool Compress(Session session, BuildRequest request, BuildModel model, LayerCache? cache, TextWriter output, List<PageModel> pages)
    {
        var diagnostics = new DiagnosticBag();
        string name = RecipeLocator.ModelName(model.Model);
        CompressionReport? report = null;
        var last = request.Explain ? LastRun.Read(model.Report) : null;
        try
        {
            var progress = new ProgressLines(output, $"progress: {name}", LineInterval, session.Clock);
            report = Compressor.Run(Request(request, model, cache), diagnostics, progress, session.Cancellation);
            if (report is not null)
            {
                Failures.Writing(model.Report, "the report", () => ReportWriter.Write(report, model.Report));
                if (request.Page is not null)
                {
                    pages.Add(PageBuilder.Model(report, model.Output));
                }

                Failures.Writing(model.Record, "the record of inputs", () => Write(new InputRecord(report.Files), model.Record));
            }
        }
        catch (OperationCanceledException)
        {
            throw;
        }
#pragma warning disable CA1031 // Whatever it is, the build gets one line, and the other models their turn.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            diagnostics.Add(Failures.Describe(exception));
            if (session.Verbose)
            {
                output.WriteLine(exception);
            }
        }

        foreach (var diagnostic in diagnostics.Items)
        {
            output.WriteLine(diagnostic);
        }

        if (report is null || diagnostics.HasErrors)
        {
            return false;
        }

        foreach (string line in request.Explain ? Explanation.Lines(report, last, cache, request.Force) : [])
        {
            output.WriteLine($"explain: {name}: {line}");
        }

        output.WriteLine($"summary: {name}: {Summary.Sizes(report)}; {Summary.Work(report)}");
        foreach (string line in Summary.Quality(report))
        {
            output.WriteLine($"quality: {name}: {line}");
        }

        return true;
    }

    private static bool WritePage(PageData data, string path, TextWriter output)
    {
        try
        {
            Failures.Writing(path, "the report page", () => ReportPage.Write(data, path));
            return true;
        }
        catch (CompressException exception)
        {
            output.WriteLine(exception.Diagnostic);
            return false;
        }
    }

    private static CompressionRequest Request(BuildRequest request, BuildModel model, LayerCache? cache) => new(model.Model, model.Recipe, model.Output)
    {
        Cache = cache,
        Threads = request.Threads,
        Force = request.Force,
    };

    private static void Write(InputRecord record, string path) =>
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, record, JsonForms.Default.InputRecord));
}
