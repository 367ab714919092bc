using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes.Yaml;

namespace Compress.Core.Recipes;

/// <summary>Reads compress.yaml. docs/compress-yaml.md gives the grammar.</summary>
public static class RecipeReader
{
    /// <summary>The longest pattern, in characters: no name is that long, and matching takes time of pattern by name.</summary>
    internal const int MaxPatternLength = 1024;

    /// <summary>Reads a recipe. Null if it has errors; all of them are in <paramref name="diagnostics"/>.</summary>
    /// <param name="path">An absolute path.</param>
    /// <param name="diagnostics">Receives what is wrong.</param>
    public static Recipe? Read(string path, DiagnosticBag diagnostics)
    {
        var errors = new RecipeErrors(path);
        var recipe = RecipeText.ReadFile(path, errors) is { } bytes ? Parse(bytes, path, CodecTable.All, errors) : null;
        errors.Report(diagnostics);
        return recipe;
    }

    /// <summary>Reads a recipe from memory. Null if it has errors; all of them are in <paramref name="diagnostics"/>.</summary>
    /// <param name="bytes">The file's bytes.</param>
    /// <param name="file">The path to show in messages, if any.</param>
    /// <param name="diagnostics">Receives what is wrong.</param>
    /// <param name="codecs">The methods that it may name, the default first; without it, all there are.</param>
    public static Recipe? Parse(ReadOnlySpan<byte> bytes, string? file, DiagnosticBag diagnostics, IReadOnlyList<ICodec>? codecs = null)
    {
        var errors = new RecipeErrors(file);
        var recipe = Parse(bytes, file, codecs ?? CodecTable.All, errors);
        errors.Report(diagnostics);
        return recipe;
    }

    /// <summary>What an empty file says.</summary>
    internal static Recipe Empty() =>
        Parse([], null, CodecTable.All, new RecipeErrors(null)) ?? throw new InvalidOperationException("the defaults of the first codec are not valid");

    private static Recipe? Parse(ReadOnlySpan<byte> bytes, string? file, IReadOnlyList<ICodec> codecs, RecipeErrors errors)
    {
        if (RecipeText.Decode(bytes, errors) is not { } text)
        {
            return null;
        }

        var root = YamlReader.Read(text, errors);
        var values = new RecipeValues(errors);
        var map = root switch
        {
            null or YamlScalar { IsNull: true } => new YamlMap([], new(1, 1)),
            _ => values.Map("compress.yaml", root, "keys and values such as 'method: higgs'"),
        };
        var recipe = map is null || (root is null && errors.Count > 0) ? null : FromMap(map, text, file, codecs, values, errors);
        return errors.Count == 0 ? recipe : null;
    }

    private static Recipe? FromMap(YamlMap map, string text, string? file, IReadOnlyList<ICodec> codecs, RecipeValues values, RecipeErrors errors)
    {
        Version(map, values, errors);
        var stateDict = map.Find(RecipeKeys.Source) is { } source ? new SourceReader(text, file, values, errors).Read(source) : null;
        ulong seed = map.Find(RecipeKeys.Seed) is { } entry ? values.Seed(entry) : 0;
        bool keepNonFinite = map.Find(RecipeKeys.NonFinite) is { } nonFinite && values.Choice(nonFinite, RecipeKeys.NonFiniteChoices) == "keep";
        var calibration = map.Find(RecipeKeys.Calibration) is { } statistics ? new CalibrationReader(file, values, errors).Read(statistics) : null;
        var budget = map.Find(RecipeKeys.Budget) is { } total ? new BudgetReader(calibration, values, errors).Read(total) : null;
        var recovery = map.Find(RecipeKeys.Recover) is { } training ? new RecoveryReader(file, calibration, values, errors).Read(training) : null;
        var gate = map.Find(RecipeKeys.Gate) is { } limits ? new GateReader(file, values, errors).Read(limits) : null;

        var treatments = new TreatmentReader(codecs, seed, file, hasBudget: map.Find(RecipeKeys.Budget) is not null, errors);
        var (treatment, choice) = treatments.Read(map, RecipeKeys.OfRecipe, treatments.DefaultChoice);
        var rules = new List<Rule>();
        if (map.Find(RecipeKeys.Layers) is { } layers)
        {
            foreach (var item in values.List(layers, "a list of rules, each beginning with '- match:'"))
            {
                if (ReadRule(item, treatments, choice, values, errors) is { } rule)
                {
                    rules.Add(rule);
                }
            }
        }

        return treatment is null ? null : new(file, treatment, rules, seed, keepNonFinite, budget, calibration, gate) { StateDict = stateDict, Recovery = recovery };
    }

    private static void Version(YamlMap map, RecipeValues values, RecipeErrors errors)
    {
        if (map.Find(RecipeKeys.Version) is { } version
            && values.Integer(version, Int128.MinValue, Int128.MaxValue, "the integer 1") is { } number && number != RecipeKeys.GrammarVersion)
        {
            errors.Add(
                Codes.RecipeVersion,
                version.Value.Position,
                $"found version {version.Value.Found}; this Compress.Tasks reads version {RecipeKeys.GrammarVersion}: change it, or update the package");
        }
    }

    private static Rule? ReadRule(YamlNode node, TreatmentReader treatments, MethodChoice inherited, RecipeValues values, RecipeErrors errors)
    {
        if (values.Map(RecipeKeys.Layers, node, "a rule, such as '- match: \"*.norm.weight\"' with 'keep: float16' below it") is not { } map)
        {
            return null;
        }

        var patterns = map.Find(RecipeKeys.Match) is { } match ? Patterns(match, values) : MissingMatch(map, errors);
        var (treatment, _) = treatments.Read(map, RecipeKeys.OfRule, inherited);
        if (map.Entries.All(entry => entry.Key == RecipeKeys.Match) && map.Entries.Count > 0)
        {
            errors.Add(Codes.RecipeMissingKey, map.Position, "the rule does not say what to do; add 'method', a setting such as 'bits', or 'keep'");
        }

        return treatment is null || patterns.Count == 0 ? null : new(patterns, treatment, map.Position);
    }

    private static List<RulePattern> MissingMatch(YamlMap map, RecipeErrors errors)
    {
        errors.Add(Codes.RecipeMissingKey, map.Position, "the rule has no 'match'; add the tensor names it is for, such as 'match: \"lm_head.*\"'");
        return [];
    }

    private static List<RulePattern> Patterns(YamlEntry match, RecipeValues values)
    {
        const string Expected = "a pattern of tensor names, or a list of them";
        var nodes = match.Value is YamlList list ? list.Items : [match.Value];
        if (nodes.Count == 0)
        {
            values.BadValue(match.Key, match.Value, Expected);
        }

        var patterns = new List<RulePattern>();
        foreach (var node in nodes)
        {
            string? pattern = values.Text(match.Key, node, Expected);
            if (pattern is { Length: 0 or > MaxPatternLength })
            {
                values.BadValue(match.Key, node, $"a pattern of 1 to {MaxPatternLength} characters");
            }
            else if (pattern is not null)
            {
                patterns.Add(new(new Glob(pattern), node.Position));
            }
        }

        return patterns;
    }
}
