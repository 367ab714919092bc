using System.Text.Json.Nodes;

namespace Compress.Core.Recipes;

/// <summary>The JSON schema of <c>budget:</c>, and of the keys that say what it chooses from.</summary>
internal static class BudgetSchema
{
    public static JsonObject Create() => new()
    {
        ["description"] = "What the layers may take together. It is spread over them where it does most good, instead of the same bits for each.",
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            [RecipeKeys.Bits] = new JsonObject
            {
                ["description"] = "Bits per weight on average, scales and tables included.",
                ["type"] = "number",
                ["exclusiveMinimum"] = 0,
                ["maximum"] = 64,
            },
            [RecipeKeys.Size] = new JsonObject
            {
                ["description"] = "The size of the packed file, in bytes or such as 9 MB or 1.5 GiB.",
                ["type"] = new JsonArray("string", "integer"),
                ["minimum"] = 1,
                ["pattern"] = "^ *[0-9]*\\.?[0-9]* *([KkMmGgTt][Ii]?)?[Bb] *$",
            },
            [RecipeKeys.Sensitivity] = Sensitivity(),
        },
        ["additionalProperties"] = false,
        ["anyOf"] = new JsonArray(Alone(RecipeKeys.Bits, RecipeKeys.Size), Alone(RecipeKeys.Size, RecipeKeys.Bits)),
    };

    private static JsonObject Sensitivity() => new()
    {
        ["description"] = "How it is found what errors of layers cost, for language models that can be run.",
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            [RecipeKeys.Probe] = Choices("The errors that layers are given one by one: those of the forms that they may get (default), or random noise of four sizes.", RecipeKeys.Probes),
            [RecipeKeys.Metric] = Choices("In what their cost is measured: the divergence of predictions from the source's (default), or the increase of ln perplexity.", RecipeKeys.Metrics),
            [RecipeKeys.Source] = Choices("What the model is run on: the text of 'calibration', or random tokens. Default: the text if there is one.", RecipeKeys.Sources),
            [RecipeKeys.StandardError] = new JsonObject
            {
                ["description"] = "The relative standard error until which more tokens are used. Default: 10%.",
                ["anyOf"] = new JsonArray(
                    new JsonObject { ["type"] = "number", ["exclusiveMinimum"] = 0, ["maximum"] = 1 },
                    new JsonObject { ["type"] = "string", ["pattern"] = "^(?=.*[1-9])([0-9]{0,2}(\\.[0-9]+)?|100)%$" }),
            },
            [RecipeKeys.Tokens] = new JsonObject
            {
                ["description"] = $"The most tokens that a cost is measured on. Default: {Allocation.SensitivitySettings.DefaultTokens}.",
                ["type"] = "integer",
                ["minimum"] = 2,
            },
        },
        ["additionalProperties"] = false,
    };

    private static JsonObject Choices(string description, string[] choices) =>
        new() { ["description"] = description, ["enum"] = new JsonArray([.. choices.Select(choice => JsonValue.Create(choice))]) };

    /// <summary>A list of options.</summary>
    public static JsonObject Choose(string description) => new()
    {
        ["description"] = description,
        ["type"] = "array",
        ["items"] = new JsonObject { ["$ref"] = "#/definitions/option" },
        ["minItems"] = 1,
    };

    /// <summary>Adds the limits of a choice.</summary>
    public static void AddLimits(JsonObject properties)
    {
        properties[RecipeKeys.MinBits] = Bits("The fewest bits, as the method's setting 'bits' counts them, that the budget may give.");
        properties[RecipeKeys.MaxBits] = Bits("The most bits, as the method's setting 'bits' counts them, that the budget may give.");
        properties[RecipeKeys.Group] = new JsonObject
        {
            ["description"] = "Tensors whose names begin alike get the same of what the budget chooses from: model.layers.*.mlp groups those of each layer.",
            ["type"] = "string",
            ["pattern"] = "^[^.]+(\\.[^.]+)*$",
            ["maxLength"] = RecipeReader.MaxPatternLength,
        };
    }

    /// <summary>None of the keys that say what a budget chooses from.</summary>
    public static JsonObject None()
    {
        var none = new JsonObject();
        foreach (string key in RecipeKeys.OfChoice)
        {
            none[key] = false;
        }

        return none;
    }

    /// <summary>Those keys are for recipes with a budget.</summary>
    public static JsonObject OnlyWithBudget()
    {
        var none = None();
        none[RecipeKeys.Layers] = new JsonObject { ["items"] = new JsonObject { ["properties"] = None() } };
        return new() { ["if"] = new JsonObject { ["required"] = new JsonArray(RecipeKeys.Budget) }, ["else"] = new JsonObject { ["properties"] = none } };
    }

    private static JsonObject Alone(string key, string other) =>
        new() { ["required"] = new JsonArray(key), ["properties"] = new JsonObject { [other] = false } };

    private static JsonObject Bits(string description) =>
        new() { ["description"] = description, ["type"] = "integer", ["minimum"] = 1, ["maximum"] = 64 };
}
