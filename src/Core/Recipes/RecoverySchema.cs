using System.Globalization;
using System.Text.Json.Nodes;
using Compress.Core.Recovery;

namespace Compress.Core.Recipes;

/// <summary>The JSON schema of <c>recover:</c>.</summary>
internal static class RecoverySchema
{
    public static JsonObject Create() => new()
    {
        ["description"] = "Trains what is continuous in the compressed model (scales, codebooks, norms, biases) to predict what its source predicts.",
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            [RecipeKeys.Text] = Of("string", "The text that is trained on, relative to this file. Default: that of 'calibration'."),
            [RecipeKeys.Tokens] = Integer($"How many tokens are used at most; of a longer text, windows are drawn at random. Default: {RecoverySettings.DefaultTokens}.", 2),
            [RecipeKeys.Unit] = new JsonObject
            {
                ["description"] = "What is a sequence of its own: the whole text, cut into windows (default), or each paragraph, cut to one.",
                ["enum"] = new JsonArray([.. RecipeKeys.Units.Select(unit => JsonValue.Create(unit))]),
            },
            [RecipeKeys.Window] = Integer($"Tokens of a window. Default: {RecoverySettings.DefaultWindow}, or as many as the model has positions for.", 2),
            [RecipeKeys.Seed] = Integer("Which windows are drawn. Default: 0.", 0),
            [RecipeKeys.Steps] = Integer(
                $"Steps at most for the model as a whole, of {RecoverySettings.Batch} windows each; 0, where 'blocks' trains, for none. Default: {RecoverySettings.DefaultSteps}.", 0),
            [RecipeKeys.Time] = Time("No step begins later, such as 10 min"),
            [RecipeKeys.LearningRate] = LearningRate(RecoverySettings.DefaultLearningRate),
            [RecipeKeys.Temperature] = Number("What logits of both models are divided by. Default: 1.", 100),
            [RecipeKeys.Blocks] = new JsonObject
            {
                ["description"] = "Before that, trains each transformer block to give what the source's block gives.",
                ["type"] = "object",
                ["properties"] = new JsonObject
                {
                    [RecipeKeys.Steps] = Integer($"Steps at most for each block, of {RecoverySettings.Batch} windows each. Default: {BlockSettings.DefaultSteps}.", 1),
                    [RecipeKeys.Time] = Time("How long the steps of all blocks may take, such as 10 min"),
                    [RecipeKeys.LearningRate] = LearningRate(BlockSettings.DefaultLearningRate),
                },
                ["additionalProperties"] = false,
            },
        },
        ["additionalProperties"] = false,
    };

    private static JsonObject Time(string what) => Of("string", $"{what}: the result then depends on the machine's speed. Default: no limit.");

    private static JsonObject LearningRate(double normal) =>
        Number(string.Create(CultureInfo.InvariantCulture, $"The greatest change of a number in a step, as a part of its size. Default: {normal}."), 1);

    private static JsonObject Of(string type, string description) => new() { ["description"] = description, ["type"] = type };

    private static JsonObject Integer(string description, int least)
    {
        var integer = Of("integer", description);
        integer["minimum"] = least;
        return integer;
    }

    private static JsonObject Number(string description, int most)
    {
        var number = Of("number", description);
        (number["exclusiveMinimum"], number["maximum"]) = (0, most);
        return number;
    }
}
