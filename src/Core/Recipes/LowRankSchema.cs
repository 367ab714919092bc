using System.Text.Json.Nodes;

namespace Compress.Core.Recipes;

/// <summary>The JSON schema of <c>lowrank:</c>.</summary>
internal static class LowRankSchema
{
    public static JsonObject Create() => new()
    {
        ["description"] = "Matrices become the product of two thin ones, which are packed by the method beside it, or kept by 'keep: float16'.",
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            [RecipeKeys.Rank] = new JsonObject { ["description"] = "Columns of the left factor, rows of the right one.", ["type"] = "integer", ["minimum"] = 1 },
            [RecipeKeys.Energy] = new JsonObject
            {
                ["description"] = "Instead of a rank: the least that keeps this part of the sum of squares, of weights or of outputs. 95% or 0.95.",
                ["anyOf"] = new JsonArray(
                    new JsonObject { ["type"] = "number", ["exclusiveMinimum"] = 0, ["maximum"] = 1 },
                    new JsonObject { ["type"] = "string", ["pattern"] = "^(?=.*[1-9])([0-9]{0,2}(\\.[0-9]+)?|100)%$" }),
            },
            [RecipeKeys.Bits] = new JsonObject
            {
                ["description"] = "Instead of a rank: the greatest that takes no more bits per weight.",
                ["type"] = "number",
                ["exclusiveMinimum"] = 0,
                ["maximum"] = 64,
            },
            [RecipeKeys.By] = Choices("svd: the least error of weights (default). whitened: the least error of outputs; needs a calibration.", RecipeKeys.Factorizations),
            [RecipeKeys.Of] = Choices("weights: the product replaces the matrix (default). residual: it corrects the matrix that the method packs, and is stored in float16.", RecipeKeys.Factored),
        },
        ["additionalProperties"] = false,
        ["anyOf"] = new JsonArray([.. RecipeKeys.OfRank.Select(Alone)]),
    };

    private static JsonObject Alone(string key)
    {
        var others = new JsonObject();
        foreach (string other in RecipeKeys.OfRank.Where(other => other != key))
        {
            others[other] = false;
        }

        return new() { ["required"] = new JsonArray(key), ["properties"] = others };
    }

    private static JsonObject Choices(string description, string[] choices) =>
        new() { ["description"] = description, ["enum"] = new JsonArray([.. choices.Select(choice => JsonValue.Create(choice))]) };
}
