using System.CommandLine;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Compress.Cli.Console;
using Compress.Cli.Projects;
using Compress.Core.Diagnostics;
using Compress.Core.Explaining;

namespace Compress.Cli.Commands;

/// <summary><c>compress list</c>: the models of projects, and what the next build would compute and why.</summary>
internal static class ListCommand
{
    public static Command Create(Session session)
    {
        var path = new Argument<string>("PROJECT") { Description = "A project or a solution, which has been restored." };
        var configuration = new Option<string>("--configuration", "-c") { Description = "The configuration, such as Release. Default: the project's.", HelpName = "NAME" };
        var json = new Option<bool>("--json") { Description = "Write JSON." };
        var command = new Command("list", "Shows the models of projects, and what the next build would compute and why.") { path, configuration, json };
        command.SetAction(parsed =>
        {
            string file = session.Absolute(parsed.GetRequiredValue(path));
            if (!File.Exists(file))
            {
                throw new CompressException(Codes.ProjectNotReadable, "there is no such file; name a project or a solution", file);
            }

            var properties = new Dictionary<string, string>();
            if (parsed.GetValue(configuration) is { } name)
            {
                properties["Configuration"] = name;
            }

            DotNetSdk.Find(Path.GetDirectoryName(file)!);
            return Run(session, file, properties, parsed.GetValue(json));
        });
        return command;
    }

    // Apart: MSBuild's types can be loaded only after the SDK has been found.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Run(Session session, string file, Dictionary<string, string> properties, bool json)
    {
        bool failed = false;
        var listings = new List<ProjectListing>();
        foreach (string project in ProjectReader.Projects(file))
        {
            var diagnostics = new DiagnosticBag();
            try
            {
                var models = ProjectReader.Read(project, properties, diagnostics);
                // Of a solution, projects without models are none of our business.
                if (models is { Models.Count: > 0 } || (models is not null && project == file))
                {
                    listings.Add(ProjectListing.Of(models, diagnostics, session.Cancellation));
                }
            }
            catch (CompressException exception)
            {
                diagnostics.Add(exception.Diagnostic);
            }

            foreach (var diagnostic in diagnostics.Items)
            {
                session.Terminal.Report(diagnostic);
            }

            failed |= diagnostics.HasErrors;
        }

        if (json)
        {
            session.Terminal.Output.WriteLine(JsonSerializer.Serialize(listings, JsonForms.Default.ListProjectListing));
        }
        else
        {
            Show(listings, Path.GetDirectoryName(file)!, session.Terminal);
        }

        return failed ? ExitCodes.Errors : ExitCodes.Ok;
    }

    private static void Show(List<ProjectListing> listings, string folder, Terminal terminal)
    {
        foreach (var listing in listings)
        {
            terminal.Output.WriteLine(Path.GetRelativePath(folder, listing.Project));
            if (listing.Models.Count == 0)
            {
                terminal.Output.WriteLine("  no CompressedModel items");
                continue;
            }

            string directory = Path.GetDirectoryName(listing.Project)!;
            var table = new TextTable("model", "recipe", "class", "storage", ">source", ">packed", "next build");
            foreach (var model in listing.Models)
            {
                table.Add(
                    Path.GetRelativePath(directory, model.Model),
                    model.Recipe is null ? "built-in defaults" : Path.GetRelativePath(directory, model.Recipe),
                    model.ClassName,
                    model.Storage,
                    model.SourceBytes is { } source ? Quantity.Bytes(source) : "-",
                    model.PackedBytes is { } packed ? Quantity.Bytes(packed) : "-",
                    Next(model));
            }

            table.Write(terminal);
            foreach (var model in listing.Models.Where(model => model.Encode > 0))
            {
                terminal.Output.WriteLine($"{model.ClassName}:");
                foreach (string line in Explanation.Lines(model.Layers))
                {
                    terminal.Output.WriteLine("  " + line);
                }
            }
        }
    }

    private static string Next(ListedModel model) => model.State switch
    {
        ModelState.Error => "fails",
        ModelState.UpToDate => "nothing",
        _ => $"encodes {model.Encode} of {model.Encode + model.Reuse} layers",
    };
}
