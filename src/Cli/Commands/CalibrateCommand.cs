using System.CommandLine;
using System.Globalization;
using Compress.Cli.Console;
using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.Models;
using Compress.Core.Recipes.Locating;

namespace Compress.Cli.Commands;

/// <summary><c>compress calibrate</c>: statistics of a language model's layers, in a file.</summary>
internal static class CalibrateCommand
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    public static Command Create(Session session)
    {
        var model = new Argument<string>("MODEL") { Description = "The source model: a Hugging Face folder, or a file of one." };
        var text = new Option<string>("--text") { Description = "A text (UTF-8) of the kind that the model is for, or a file of token ids (.ids).", HelpName = "FILE", Required = true };
        var output = new Option<string>("--output") { Description = "The file to write: safetensors.", HelpName = "FILE", Required = true };
        var tokens = EvaluationOptions.Count(
            "--tokens", $"How many tokens are used at most; of a longer text, windows are drawn at random. Default: {CalibrationSettings.DefaultTokens}.", 1);
        var unit = EvaluationOptions.Unit();
        var window = EvaluationOptions.Count(
            "--window", $"Tokens of a window. Default: as many as the model has positions for, at most {CalibrationSettings.MaxDefaultWindow}.", 2);
        var seed = new Option<ulong>("--seed") { Description = "Which windows are drawn. Default: 0.", HelpName = "N", CustomParser = Seed };
        var kinds = new Option<StatisticKinds>("--kinds")
        {
            Description = $"Which statistics, with commas between: {string.Join(", ", StatisticNames.All.Select(row => row.Name))}; or all. "
                + $"Default: {StatisticNames.Text(StatisticNames.OfInputs, ",")}. Gradients take a backward pass for each window, and more.",
            HelpName = "NAMES",
            CustomParser = Kinds,
            DefaultValueFactory = _ => StatisticNames.OfInputs,
        };
        var stateDict = CommonOptions.StateDict();
        var cache = CommonOptions.Cache();
        var noCache = new Option<bool>("--no-cache") { Description = "Neither read nor write the cache." };
        var command = new Command("calibrate", "Runs a language model on a text and writes statistics of its layers.")
        {
            model, stateDict, text, output, kinds, tokens, unit, window, seed, cache, noCache,
        };
        command.SetAction(parsed =>
        {
            string modelPath = session.Absolute(parsed.GetRequiredValue(model));
            using var source = ModelFile.Open(modelPath, CommonOptions.StateDictOf(modelPath, parsed.GetValue(stateDict)));
            var settings = new CalibrationSettings(session.Absolute(parsed.GetRequiredValue(text)))
            {
                Tokens = parsed.GetValue(tokens) ?? CalibrationSettings.DefaultTokens,
                Unit = parsed.GetValue(unit),
                Window = parsed.GetValue(window),
                Seed = parsed.GetValue(seed),
            };
            var diagnostics = new DiagnosticBag();
            var layers = CommonOptions.OpenCache(
                CommonOptions.CachePath(session, parsed.GetValue(cache)), parsed.GetValue(noCache) ? CacheMode.Off : CacheMode.ReadWrite, "", diagnostics);
            string path = session.Absolute(parsed.GetRequiredValue(output)), title = RecipeLocator.ModelName(modelPath);
            var summary = session.Terminal.ErrorIsTerminal
                ? ProgressBar.Show(session.Terminal.RichError, title, Run)
                : Run(new ProgressLines(session.Terminal.Error, title, LineInterval, session.Clock));
            layers?.Tidy(LayerCache.DefaultMaxBytes);
            foreach (var diagnostic in diagnostics.Items)
            {
                session.Terminal.Report(diagnostic);
            }

            session.Terminal.Output.WriteLine(
                $"{path}: {Quantity.Count(summary.Layers)} layers with {Quantity.Count(summary.Inputs)} inputs, {Quantity.Count(summary.Tokens)} tokens, {Quantity.Bytes(summary.Bytes)}");
            return ExitCodes.Ok;

            CalibrationSummary Run(IProgress<CalibrationProgress> progress) =>
                ModelCalibration.Write(source, settings, parsed.GetValue(kinds), layers, path, diagnostics, progress, session.Cancellation);
        });
        return command;
    }

    private static StatisticKinds Kinds(System.CommandLine.Parsing.ArgumentResult argument)
    {
        var kinds = StatisticKinds.None;
        foreach (string name in argument.Tokens[0].Value.Split(',', StringSplitOptions.TrimEntries))
        {
            var found = name == "all" ? StatisticNames.AllKinds : StatisticNames.All.FirstOrDefault(row => row.Name == name).Kind;
            if (found == StatisticKinds.None)
            {
                argument.AddError($"--kinds has '{name}'; give {string.Join(", ", StatisticNames.All.Select(row => row.Name))}, or all");
            }

            kinds |= found;
        }

        return kinds;
    }

    private static ulong Seed(System.CommandLine.Parsing.ArgumentResult argument)
    {
        if (ulong.TryParse(argument.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value))
        {
            return value;
        }

        argument.AddError($"--seed is '{argument.Tokens[0].Value}'; give a whole number of at least 0");
        return 0;
    }
}
