using System.CommandLine;
using System.Globalization;
using Compress.Cli.Console;
using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.Models;
using Compress.Core.Recipes.Locating;
using Compress.Core.Reports.Html;
using Compress.Runtime;

namespace Compress.Cli.Commands;

/// <summary><c>compress compare</c>: several recipes on one model, as a table and as a page.</summary>
internal static class CompareCommand
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    public static Command Create(Session session)
    {
        var model = new Argument<string>("MODEL") { Description = "The source model: a file or a folder." };
        var recipes = new Option<string[]>("--recipe") { Description = "A recipe, or a folder of recipes (*.yaml); give the option once for each.", HelpName = "FILE|FOLDER", Required = true };
        var html = new Option<string>("--html") { Description = "Write a page that shows it all.", HelpName = "FILE" };
        var report = new Option<string>("--report") { Description = "Write a JSON report.", HelpName = "FILE" };
        var cache = CommonOptions.Cache();
        var noCache = CommonOptions.NoCache();
        var text = new EvaluationOptions(required: false);
        var command = new Command("compare", "Compares what recipes make of a model: size, error, perplexity.") { model, recipes, html, report, cache, noCache };
        text.AddTo(command);
        CommonOptions.Exclude(command, noCache, cache);
        command.SetAction(parsed =>
        {
            string modelPath = session.Absolute(parsed.GetRequiredValue(model));
            var diagnostics = new DiagnosticBag();
            var mode = parsed.GetValue(noCache) ? CacheMode.Off : CacheMode.ReadWrite;
            var layers = CommonOptions.OpenCache(CommonOptions.CachePath(session, parsed.GetValue(cache)), mode, "", diagnostics);
            string folder = Directory.CreateTempSubdirectory("compress-compare-").FullName;
            try
            {
                var page = Compare(session, modelPath, Recipes(parsed.GetValue(recipes)!.Select(session.Absolute)), layers, folder, text.Read(parsed, session), diagnostics);
                foreach (var diagnostic in diagnostics.Items)
                {
                    session.Terminal.Report(diagnostic);
                }

                if (page is null)
                {
                    return ExitCodes.Errors;
                }

                Table(page).Write(session.Terminal);
                if (parsed.GetValue(report) is { } reportFile)
                {
                    string path = session.Absolute(reportFile);
                    Failures.Writing(path, "the report", () => ReportPage.WriteJson(page, path));
                }

                if (parsed.GetValue(html) is { } htmlFile)
                {
                    string path = session.Absolute(htmlFile);
                    Failures.Writing(path, "the page", () => ReportPage.Write(new PageData([page]), path));
                }

                return ExitCodes.Ok;
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        });
        return command;
    }

    private static string[] Recipes(IEnumerable<string> named) =>
    [
        .. named.SelectMany(path => !Directory.Exists(path)
            ? [path]
            : Directory.GetFiles(path, "*.yaml").Order(StringComparer.Ordinal).ToArray() is { Length: > 0 } found
                ? found
                : throw new CompressException(Codes.ItemRecipeMissing, "there is no recipe (*.yaml) in this folder", path)),
    ];

    private static PageModel? Compare(
        Session session,
        string modelPath,
        string[] recipes,
        LayerCache? cache,
        string folder,
        EvaluationSettings? settings,
        DiagnosticBag diagnostics)
    {
        using var source = ModelFile.Open(modelPath, StateDict(recipes));
        using var evaluation = settings is null ? null : new ModelEvaluation(source, cache is null ? null : new EvaluationCache(cache.Directory));
        var pages = new List<PageRecipe>();
        EvaluationResult? result = null;
        for (int i = 0; i < recipes.Length; i++)
        {
            string name = Path.GetFileName(recipes[i]);
            string packed = Path.Combine(folder, $"{i}.packed.safetensors");
            var request = new CompressionRequest(modelPath, recipes[i], packed) { Cache = cache, GatesOnlyWarn = true };
            var lines = new ProgressLines(session.Terminal.Error, name, LineInterval, session.Clock);
            var report = Compressor.Run(request, diagnostics, lines, session.Cancellation);
            if (report is null)
            {
                return null;
            }

            result = evaluation?.Run(settings!, packed, withDivergence: true, lines, session.Cancellation);
            pages.Add(PageBuilder.Recipe(name, report, source, packed, result));
            File.Delete(packed);
        }

        return new(RecipeLocator.ModelName(modelPath), source.Header.Tensors.Sum(tensor => tensor.ByteLength), result?.Source.Perplexity, PageBuilder.Evaluation(result), pages);
    }

    // One source is compared with all.
    private static NamedStateDict? StateDict(string[] recipes)
    {
        var first = NamedStateDict.In(recipes[0]);
        string? other = recipes.FirstOrDefault(recipe => NamedStateDict.In(recipe)?.Name != first?.Name);
        return other is null
            ? first
            : throw new CompressException(Codes.ModelStateDict, $"it names another dictionary of the model's file as the model than {Path.GetFileName(recipes[0])} does; compare them apart", other);
    }

    private static TextTable Table(PageModel page)
    {
        var table = new TextTable("recipe", ">packed", ">bits/weight", ">relative error", ">perplexity", ">KL", ">time");
        table.Add("(source)", Quantity.Bytes(page.SourceBytes), "-", "-", Number(page.Perplexity, "F4"), "-", "-");
        foreach (var recipe in page.Recipes)
        {
            table.Add(
                recipe.Name,
                Quantity.Bytes(recipe.PackedBytes),
                Quantity.Bits(recipe.BitsPerWeight),
                Number(recipe.RelativeError, "F4"),
                Number(recipe.Perplexity, "F4"),
                Number(recipe.Kl, "F5"),
                Quantity.Duration(recipe.Milliseconds));
        }

        return table;
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
}
