using System.Text.Json.Nodes;

namespace Compress.Core.Recipes;

/// <summary>The JSON schema of <c>prune:</c>.</summary>
internal static class PruneSchema
{
    public static JsonObject Create() => new()
    {
        ["description"] = "Weights become zero, and the others are packed by the method beside it (uniform or kmeans), or kept by 'keep: float16'.",
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            [RecipeKeys.Sparsity] = new JsonObject
            {
                ["description"] = "The part of the weights that become zero. 50% or 0.5.",
                ["anyOf"] = new JsonArray(
                    new JsonObject { ["type"] = "number", ["exclusiveMinimum"] = 0, ["exclusiveMaximum"] = 1 },
                    new JsonObject { ["type"] = "string", ["pattern"] = "^(?=.*[1-9])[0-9]{0,2}(\\.[0-9]+)?%$" }),
            },
            [RecipeKeys.Pattern] = new JsonObject
            {
                ["description"] = "Instead of a sparsity: how many of how many neighbours are kept, such as 2:4.",
                ["type"] = "string",
                ["pattern"] = "^[0-9]{1,2}:[0-9]{1,2}$",
            },
            [RecipeKeys.By] = Choices(
                "Which weights are kept. magnitude: the greatest (default). wanda: the greatest of each output, times the root mean square of their inputs. sparsegpt: those whose loss "
                + "harms an output least when the others make up for it. The latter two need a calibration.", RecipeKeys.Saliencies),
            [RecipeKeys.Scope] = Choices("layer: as many of each matrix (default). global: the least of all matrices under this rule.", RecipeKeys.Scopes),
        },
        ["additionalProperties"] = false,
        ["anyOf"] = new JsonArray(
            Alone(RecipeKeys.Sparsity, RecipeKeys.Pattern),
            Alone(RecipeKeys.Pattern, RecipeKeys.Sparsity)),
    };

    private static JsonObject Alone(string key, string other) => new() { ["required"] = new JsonArray(key), ["properties"] = new JsonObject { [other] = false } };

    private static JsonObject Choices(string description, string[] choices) =>
        new() { ["description"] = description, ["enum"] = new JsonArray([.. choices.Select(choice => JsonValue.Create(choice))]) };
}
