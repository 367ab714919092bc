using System.CommandLine;
using Compress.Cli.Console;
using Compress.Cli.Inspection;
using Compress.Core.Diagnostics;
using Compress.Core.Models;

namespace Compress.Cli.Commands;

/// <summary><c>compress verify</c>: whether a packed model is sound, and how far it is from its source.</summary>
internal static class VerifyCommand
{
    public static Command Create(Session session)
    {
        var file = new Argument<string>("FILE") { Description = "The packed model." };
        var against = new Option<string>("--against")
        {
            Description = "The source model: every tensor is compared with it.",
            HelpName = "MODEL",
        };
        var stateDict = CommonOptions.StateDict();
        var command = new Command("verify", "Checks that every tensor of a packed model is sound.") { file, against, stateDict };
        command.SetAction(parsed =>
        {
            string? source = parsed.GetValue(against);
            return Verify(session, session.Absolute(parsed.GetRequiredValue(file)), source is null ? null : session.Absolute(source), parsed.GetValue(stateDict));
        });
        return command;
    }

    private static int Verify(Session session, string path, string? sourcePath, string? stateDict)
    {
        using var packed = PackedFile.Require(path);
        var diagnostics = new DiagnosticBag();
        using var check = new PackedCheck(path, packed, diagnostics);
        int sound;
        if (sourcePath is null)
        {
            sound = check.Alone(session.Cancellation);
        }
        else
        {
            using var source = ModelFile.Open(sourcePath, CommonOptions.StateDictOf(sourcePath, stateDict));
            var measured = check.Against(source, session.Cancellation);
            sound = measured.Count;
            var table = new TextTable("name", "codec", ">bits/weight", ">relative MSE");
            foreach (var (tensor, relativeMse) in measured)
            {
                table.Add(tensor.Name, tensor.Codec, Quantity.Bits(tensor.BitsPerWeight), Quantity.Error(relativeMse));
            }

            table.Write(session.Terminal);
        }

        foreach (var diagnostic in diagnostics.Items)
        {
            session.Terminal.Report(diagnostic);
        }

        int damaged = packed.Names.Count - sound;
        string outcome = !diagnostics.HasErrors ? "" : damaged > 0 ? $"{Quantity.Count(damaged)} damaged, " : "the file is damaged; ";
        session.Terminal.Output.WriteLine($"{path}: {outcome}{Quantity.Count(sound)} tensors sound");
        return diagnostics.HasErrors ? ExitCodes.Errors : ExitCodes.Ok;
    }
}
