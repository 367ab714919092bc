using System.CommandLine;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Models;
using Compress.Core.Recipes;
using Compress.Core.Recipes.Locating;

namespace Compress.Cli.Commands;

/// <summary><c>compress init</c>: writes a commented recipe to start from, and beside it the schema that its first line names.</summary>
internal static class InitCommand
{
    public static Command Create(Session session)
    {
        var model = new Argument<string>("MODEL") { Description = "The source model: a file or a folder." };
        var output = new Option<string>("--output")
        {
            Description = "The recipe to write. Default: beside the model, where builds look for it.",
            HelpName = "FILE",
        };
        var stateDict = CommonOptions.StateDict();
        var force = new Option<bool>("--force") { Description = "Replace a recipe that is there." };
        var command = new Command("init", "Writes a commented recipe to start from.") { model, stateDict, output, force };
        command.SetAction(parsed =>
        {
            string modelPath = session.Absolute(parsed.GetRequiredValue(model));
            string path = parsed.GetValue(output) is { } named ? session.Absolute(named) : RecipeLocator.Beside(modelPath);
            Write(modelPath, parsed.GetValue(stateDict), path, parsed.GetValue(force));
            session.Terminal.Output.WriteLine($"{path}: written");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Write(string modelPath, string? name, string path, bool force)
    {
        var stateDict = CommonOptions.StateDictOf(modelPath, name);
        using var model = ModelFile.Open(modelPath, stateDict);
        if (!force && File.Exists(path))
        {
            throw new CompressException(Codes.OutputNotWritable, "the recipe is there already; edit it, or replace it with --force", path);
        }

        string text = RecipeTemplate.Create(model.Header, stateDict?.Name);
        Failures.Writing(path, "the recipe", () => AtomicFile.Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text))));
        string schema = Path.Combine(Path.GetDirectoryName(path)!, RecipeSchema.FileName);
        if (force || !File.Exists(schema))
        {
            SchemaCommand.Write(schema);
        }
    }
}
