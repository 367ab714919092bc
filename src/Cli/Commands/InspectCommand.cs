using System.CommandLine;
using System.Text.Json;
using Compress.Cli.Console;
using Compress.Cli.Inspection;

namespace Compress.Cli.Commands;

/// <summary><c>compress inspect</c>: what a model file holds.</summary>
internal static class InspectCommand
{
    public static Command Create(Session session)
    {
        var model = new Argument<string>("FILE") { Description = "A source model (a file or a folder) or a packed model." };
        var json = new Option<bool>("--json") { Description = "Write JSON." };
        var command = new Command("inspect", "Shows the tensors of a source model or a packed one.") { model, json };
        command.SetAction(parsed =>
        {
            var listing = ModelListing.Read(session.Absolute(parsed.GetRequiredValue(model)));
            if (parsed.GetValue(json))
            {
                session.Terminal.Output.WriteLine(JsonSerializer.Serialize(listing, JsonForms.Default.ModelListing));
            }
            else
            {
                Show(listing, session.Terminal);
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Show(ModelListing listing, Terminal terminal)
    {
        var table = new TextTable("name", "shape", "dtype", "codec", ">bits/weight", ">bytes");
        foreach (var tensor in listing.Tensors)
        {
            table.Add(tensor.Name, Quantity.Shape(tensor.Shape), tensor.Dtype, tensor.Codec ?? "-", Quantity.Bits(tensor.BitsPerWeight),
                Quantity.Count(tensor.Bytes));
        }

        table.Write(terminal);
        string kind = listing.Packed ? "packed model" : "source model";
        string bits = listing.BitsPerWeight is { } value ? $", {Quantity.Bits(value)} bits per compressed weight" : "";
        terminal.Output.WriteLine(
            $"{kind}: {Quantity.Count(listing.Tensors.Count)} tensors, {Quantity.Count(listing.Weights)} weights, {Quantity.Bytes(listing.Bytes)}{bits}");
    }
}
