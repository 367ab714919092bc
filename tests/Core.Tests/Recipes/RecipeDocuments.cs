using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Compress.Core.Codecs;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Models.Formats;
using Compress.Core.Recipes;
using Compress.Core.Tests.Compression;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Recipes;

/// <summary>What docs/compress-yaml.md and docs/diagnostics.md say of recipes is so.</summary>
public partial class RecipeDocument
{
    private static readonly ModelHeader Model = Header.Of(
        [
            ("model.embed_tokens.weight", DType.F32, [512, 64]),
            ("norm1.num_batches_tracked", DType.I64, []),
            .. Enumerable.Range(0, 5).Select(i => ($"model.layers.{i}.self_attn.q_proj.weight", DType.F32, new long[] { 64, 64 })),
        ]);

    public static TheoryData<string> Grammar => [.. YamlBlock().Matches(Repository.Read("docs/compress-yaml.md")).Select(block => block.Groups[1].Value)];

    /// <summary>Code, recipe and message of each section on recipes.</summary>
    public static TheoryData<string, string, string> Mistakes
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (Match match in MistakeSection().Matches(Repository.Read("docs/diagnostics.md")))
            {
                data.Add(match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Grammar))]
    public void ExamplesOfTheGrammarAreValid(string text)
    {
        var diagnostics = new DiagnosticBag();

        Assert.NotNull(RecipeReader.Parse(Encoding.UTF8.GetBytes(text), null, diagnostics));
        Assert.Empty(diagnostics.Items);
    }

    [Theory, MemberData(nameof(Mistakes))]
    public void ExamplesOfMistakesGiveTheirMessages(string code, string text, string message)
    {
        var diagnostics = new DiagnosticBag();
        var recipe = RecipeReader.Parse(Encoding.UTF8.GetBytes(text), "compress.yaml", diagnostics);
        if (recipe is not null)
        {
            Plan.Make(recipe, Model, diagnostics);
        }

        var found = Assert.Single(diagnostics.Items);
        Assert.Equal(code, found.Code);
        Assert.StartsWith(message.TrimEnd('…'), found.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void EveryRecipeCodeHasAnExample()
    {
        var codes = typeof(Codes).GetFields().Select(field => (string)field.GetValue(null)!).Where(code => code.StartsWith("CMPR10", StringComparison.Ordinal));

        // What cannot be read cannot be shown as text.
        Assert.Empty(codes.Except([.. Mistakes.Select(row => (string)row[0]), Codes.RecipeNotReadable]));
        Assert.Contains("## CMPR1009", Repository.Read("docs/diagnostics.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void TablesOfSettingsAreTheCodecs()
    {
        string text = Repository.Read("docs/compress-yaml.md");
        foreach (var codec in CodecTable.All)
        {
            int section = text.IndexOf($"`{codec.Name}` ([how it works](codecs/{codec.Name}.md)):", StringComparison.Ordinal);
            Assert.True(section >= 0, codec.Name);
            string table = text[section..text.IndexOf("\n\n", text.IndexOf("|---", section, StringComparison.Ordinal), StringComparison.Ordinal)];
            Assert.Equal(codec.Settings.Select(Row), table.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(Cells));
        }
    }

    private static string Row(Setting setting)
    {
        string values = setting switch
        {
            { Default: int } => string.Create(CultureInfo.InvariantCulture, $"{setting.Min} to {setting.Max}"),
            { Default: double } => string.Create(CultureInfo.InvariantCulture, $"numbers from {setting.Min} to {setting.Max}"),
            { Default: bool } => "true, false",
            _ => string.Join(", ", setting.Choices!),
        };
        return $"`{setting.Name}` | {values} | {Convert.ToString(setting.Default, CultureInfo.InvariantCulture)!.ToLowerInvariant()}";
    }

    private static string Cells(string line) => string.Join(" | ", line.Split('|').Skip(1).Take(3).Select(cell => cell.Trim()));

    [GeneratedRegex(@"^```yaml\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex YamlBlock();

    [GeneratedRegex(@"^## (CMPR10\d\d|CMPR2006)\n(?:(?!^## ).)*?^```yaml\n(.*?)^```\n\n> `(.*?)`$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex MistakeSection();
}
