using System.CommandLine;
using System.Text.Json;
using Compress.Cli.Console;
using Compress.Cli.Inspection;
using Compress.Core.Calibration;

namespace Compress.Cli.Commands;

/// <summary><c>compress inspect</c>: what a model file holds.</summary>
internal static class InspectCommand
{
    public static Command Create(Session session)
    {
        var model = new Argument<string>("FILE") { Description = "A source model (a file or a folder), a packed model, or a file of statistics." };
        var stateDict = CommonOptions.StateDict();
        var json = new Option<bool>("--json") { Description = "Write JSON." };
        var command = new Command("inspect", "Shows the tensors of a source model or a packed one, or the layers of a file of statistics.") { model, stateDict, json };
        command.SetAction(parsed =>
        {
            string path = session.Absolute(parsed.GetRequiredValue(model));
            if (StatisticsSummary.TryRead(path) is { } statistics)
            {
                Show(statistics, parsed.GetValue(json), session.Terminal);
                return ExitCodes.Ok;
            }

            var listing = ModelListing.Read(path, parsed.GetValue(stateDict));
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

    private static void Show(StatisticsSummary statistics, bool json, Terminal terminal)
    {
        if (json)
        {
            terminal.Output.WriteLine(JsonSerializer.Serialize(statistics, JsonForms.Default.StatisticsSummary));
            return;
        }

        var table = new TextTable("layer", ">inputs", ">tokens", ">left out", ">mean square", "statistics");
        foreach (var layer in statistics.Layers)
        {
            table.Add(
                layer.Name, Quantity.Count(layer.Inputs), Quantity.Count(layer.Tokens), Quantity.Count(layer.Skipped),
                layer.MeanSquare is { } square ? Quantity.Error(square) : "-",
                layer.Input == layer.Name
                    ? string.Join(", ", layer.Kinds)
                    : string.Join(", ", layer.Kinds.Where(kind => !StatisticNames.Of(StatisticNames.OfInputs).Any(row => row.Name == kind)).Prepend($"as {layer.Input}")));
        }

        table.Write(terminal);
        terminal.Output.WriteLine(
            $"statistics: {Quantity.Count(statistics.Layers.Count)} layers, {Quantity.Count(statistics.Tokens)} tokens, {Quantity.Bytes(statistics.Bytes)}");
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
