using System.Text.Json.Nodes;
using Compress.Core.Calibration;

namespace Compress.Core.Recipes;

/// <summary>The JSON schema of <c>calibration:</c>.</summary>
internal static class CalibrationSchema
{
    public static JsonObject Create() => new()
    {
        ["description"] = "Where methods that need them get statistics of layers: from running the model on a text, or from a file.",
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            [RecipeKeys.Text] = Path("The text that the model is run on, relative to this file."),
            [RecipeKeys.Tokens] = Integer($"How many tokens are used at most; of a longer text, windows are drawn at random. Default: {CalibrationSettings.DefaultTokens}.", 1),
            [RecipeKeys.Unit] = new JsonObject
            {
                ["description"] = "What is a sequence of its own: the whole text, cut into windows (default), or each paragraph, cut to one.",
                ["enum"] = new JsonArray([.. RecipeKeys.Units.Select(unit => JsonValue.Create(unit))]),
            },
            [RecipeKeys.Window] = Integer(
                $"Tokens of a window. Default: as many as the model has positions for, at most {CalibrationSettings.MaxDefaultWindow}.", 2),
            [RecipeKeys.Seed] = Integer("Which windows are drawn. Default: 0.", 0),
            [RecipeKeys.Rounds] = Integer("How often gradients are taken: of the source, then of what the compression made of it; the best result is kept. Default: 1.", 1),
            [RecipeKeys.Statistics] = Path("A file of statistics that 'compress calibrate' or another program wrote, relative to this file."),
        },
        ["additionalProperties"] = false,
        ["anyOf"] = new JsonArray(
            new JsonObject { ["required"] = new JsonArray(RecipeKeys.Text), ["properties"] = new JsonObject { [RecipeKeys.Statistics] = false } },
            new JsonObject { ["required"] = new JsonArray(RecipeKeys.Statistics), ["properties"] = OnlyStatistics() }),
    };

    private static JsonObject OnlyStatistics()
    {
        var none = new JsonObject();
        foreach (string key in RecipeKeys.OfCalibration.Where(key => key != RecipeKeys.Statistics))
        {
            none[key] = false;
        }

        return none;
    }

    private static JsonObject Path(string description) => new() { ["description"] = description, ["type"] = "string" };

    private static JsonObject Integer(string description, int least) =>
        new() { ["description"] = description, ["type"] = "integer", ["minimum"] = least };
}
