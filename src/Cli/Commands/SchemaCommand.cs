using System.CommandLine;
using System.Text;
using Compress.Core.Emit;
using Compress.Core.Recipes;

namespace Compress.Cli.Commands;

/// <summary><c>compress schema</c>: the JSON schema by which editors complete and check recipes.</summary>
internal static class SchemaCommand
{
    public static Command Create(Session session)
    {
        var output = new Option<string>("--output") { Description = "The file to write. Default: standard output.", HelpName = "FILE" };
        var command = new Command("schema", "Writes the JSON schema of recipes, for editors.") { output };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(output) is { } named)
            {
                Write(session.Absolute(named));
                session.Terminal.Output.WriteLine($"{session.Absolute(named)}: written");
            }
            else
            {
                session.Terminal.Output.Write(RecipeSchema.Create());
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Writes the schema to a file.</summary>
    /// <exception cref="Core.Diagnostics.CompressException">It cannot be written.</exception>
    public static void Write(string path) => Failures.Writing(
        path, "the schema", () => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(RecipeSchema.Create()))));
}
