using System.Text.Json.Nodes;
using Compress.Core.Recipes;
using Compress.Core.Recipes.Yaml;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Recipes;

/// <summary>The JSON schema says what the reader says, as far as a schema can see.</summary>
public class Schema
{
    // What JSON cannot tell apart, and what a schema cannot know: whether settings go together.
    private static readonly string[] Unseen = ["bits: 4.0", "seed: 1e3", "source: {stateDict: \"\\x61\"}", "{\"source\": {\"stateDict\": \"a\"}}", "source: {stateDict:\n  a}", "groupSize: 100", "groupSize: 128\nlayers:\n- match: a\n  groupSize: 100",
        "budget: {bits: 3}\nminBits: 4\nmaxBits: 3", "budget: {bits: 3}\nmaxBits: 3\nlayers:\n- match: a\n  minBits: 5", "budget: {bits: 3}\nmethod: uniform\nmaxBits: 1",
        "budget: {bits: 3, sensitivity: {metric: perplexity}}", "budget: {bits: 3, sensitivity: {source: calibration}}",
        "budget: {bits: 3, sensitivity: {metric: perplexity, source: random}}\ncalibration: {text: t}",
        "keep: float16\nlowrank: {rank: 8, of: residual}", "lowrank: {rank: 8}\nkeep: source",
        // Which methods pack single weights is no matter of a schema; nor is which numbers go together.
        "method: uniform\nprune: {pattern: 4:4}", "method: uniform\nprune: {pattern: 0:4}", "method: uniform\nprune: {pattern: 2:33}",
        "calibration: {text: t}\nmethod: uniform\nprune: {sparsity: 0.5, by: wanda, scope: global}", "method: uniform\nprune: {pattern: 2:4, scope: global}",
        "prune: {sparsity: 0.5}", "prune: {sparsity: 0.5}\nkeep: source", "method: uniform\nprune: {sparsity: 0.5}\nlowrank: {rank: 8}",
        "method: uniform\ngranularity: channel\nprune: {sparsity: 0.5}"];

    private static readonly JsonSchemaChecker Checker = new((JsonObject)JsonNode.Parse(RecipeSchema.Create(FakeMethod.Two))!);

    public static TheoryData<string> MistakesSeen =>
        [.. Mistake.All.Where(row => !Equals(row[1], "CMPR1001") && !Unseen.Contains(row[0])).Select(row => (string)row[0])];

    [Theory, MemberData(nameof(ValidRecipe.All), MemberType = typeof(ValidRecipe))]
    public void AcceptsWhatTheReaderAccepts(string text) => Assert.True(Checker.IsValid(Json(text)), text);

    [Theory, MemberData(nameof(MistakesSeen))]
    public void RefusesWhatTheReaderRefuses(string text) => Assert.False(Checker.IsValid(Json(text)), text);

    /// <summary>To renew the file after a change: set COMPRESS_UPDATE_SCHEMA=1 and run this test.</summary>
    [Fact]
    public void CommittedFileIsWhatTheCodecsDeclare()
    {
        string path = Repository.PathOf("build/compress.schema.json");
        if (Environment.GetEnvironmentVariable("COMPRESS_UPDATE_SCHEMA") == "1")
        {
            File.WriteAllText(path, RecipeSchema.Create());
        }

        Assert.Equal(RecipeSchema.Create(), File.ReadAllText(path));
    }

    private static JsonNode? Json(string yaml)
    {
        var errors = new RecipeErrors(null);
        var node = YamlReader.Read(yaml.TrimStart('\uFEFF'), errors);
        Assert.Equal(0, errors.Count);
        return node is null ? null : Json(node);
    }

    private static JsonNode? Json(YamlNode node)
    {
        switch (node)
        {
            case YamlMap map:
                return new JsonObject(map.Entries.Select(entry => KeyValuePair.Create(entry.Key, Json(entry.Value))));
            case YamlList list:
                return new JsonArray([.. list.Items.Select(Json)]);
            case YamlScalar { IsNull: true }:
                return null;
            case YamlScalar scalar when YamlScalars.TryBool(scalar, out bool flag):
                return flag;
            case YamlScalar scalar when YamlScalars.TryInteger(scalar, out var integer):
                return (decimal)integer;
            case YamlScalar scalar when YamlScalars.TryNumber(scalar, out double number):
                return number;
            case YamlScalar { Text: ".inf", Quoted: false }:
                return 1e20;
            default:
                return ((YamlScalar)node).Text;
        }
    }
}
