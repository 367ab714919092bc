using System.Text.Json.Nodes;

namespace Compress.Core.Recipes;

/// <summary>The JSON schema of <c>gate:</c>.</summary>
internal static class GateSchema
{
    public static JsonObject Create() => Object("Quality limits that break the build.", [], new JsonObject
    {
        [RecipeKeys.RelativeError] = Positive("The greatest ‖W − Ŵ‖ / ‖W‖ over all compressed layers together.", 1),
        [RecipeKeys.Perplexity] = Measured(
            "The greatest increase of the perplexity of a language model over the source's.",
            RecipeKeys.Increase,
            new JsonObject
            {
                ["description"] = "A part of the source's perplexity: 2% or 0.02.",
                ["anyOf"] = new JsonArray(
                    new JsonObject { ["type"] = "number", ["exclusiveMinimum"] = 0 },
                    new JsonObject { ["type"] = "string", ["pattern"] = "^(?=.*[1-9])[0-9]*\\.?[0-9]+%$" }),
            }),
        [RecipeKeys.Kl] = Measured(
            "The greatest mean Kullback-Leibler divergence of the packed language model's predictions from the source's.",
            RecipeKeys.Max,
            Positive("In nats per token.", null)),
        [RecipeKeys.Severity] = Choices("Whether what goes beyond a limit is an error (default) or a warning.", RecipeKeys.Severities),
    });

    private static JsonObject Measured(string description, string limitKey, JsonObject limit) => Object(description, [RecipeKeys.Text, limitKey], new JsonObject
    {
        [limitKey] = limit,
        [RecipeKeys.Text] = new JsonObject { ["description"] = "The held-out text, relative to this file.", ["type"] = "string" },
        [RecipeKeys.Unit] = Choices("What is a sequence of its own: the whole text, cut into windows (default), or each paragraph, cut to one.", RecipeKeys.Units),
        [RecipeKeys.Window] = Count("Tokens of a window. Default: as many as the model has positions for.", 2),
        [RecipeKeys.Stride] = Count("From one window of a document to the next, in tokens. Default: windows do not overlap.", 1),
        [RecipeKeys.Limit] = Count("How many windows, or paragraphs, are used. Default: all.", 1),
        [RecipeKeys.Bos] = new JsonObject
        {
            ["description"] = "Begin every window with the token for the beginning of a text. Default: true.",
            ["type"] = "boolean",
        },
    });

    private static JsonObject Object(string description, string[] required, JsonObject properties)
    {
        var schema = new JsonObject { ["description"] = description, ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (required.Length > 0)
        {
            schema["required"] = new JsonArray([.. required.Select(key => JsonValue.Create(key))]);
        }

        return schema;
    }

    private static JsonObject Positive(string description, int? max)
    {
        var schema = new JsonObject { ["description"] = description, ["type"] = "number", ["exclusiveMinimum"] = 0 };
        if (max is { } most)
        {
            schema["maximum"] = most;
        }

        return schema;
    }

    private static JsonObject Count(string description, int least) =>
        new() { ["description"] = description, ["type"] = "integer", ["minimum"] = least };

    private static JsonObject Choices(string description, string[] choices) =>
        new() { ["description"] = description, ["enum"] = new JsonArray([.. choices.Select(choice => JsonValue.Create(choice))]) };
}
