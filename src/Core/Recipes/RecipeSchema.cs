using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Compress.Core.Codecs;

namespace Compress.Core.Recipes;

/// <summary>
/// The JSON schema (draft-07) of compress.yaml, by which editors complete and check it; made from the codecs' own declarations and
/// committed as build/compress.schema.json. It sees types, names, bounds and which setting belongs to which method; not whether settings go together.
/// </summary>
public static class RecipeSchema
{
    /// <summary>
    /// The schema's file. <c>compress init</c> puts it beside the recipe, whose first line tells editors so: that needs no network, and is the
    /// schema of the version in use.
    /// </summary>
    public const string FileName = "compress.schema.json";

    private static readonly JsonSerializerOptions Indented = new(JsonSerializerOptions.Default)
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // the file is read by editors, not by browsers
    };

    /// <summary>The schema's text.</summary>
    /// <param name="codecs">The methods that recipes may name, the default first; without it, all there are.</param>
    public static string Create(IReadOnlyList<ICodec>? codecs = null) => Root(codecs ?? CodecTable.All).ToJsonString(Indented) + "\n";

    private static JsonObject Root(IReadOnlyList<ICodec> codecs) => new()
    {
        ["$schema"] = "http://json-schema.org/draft-07/schema#",
        ["title"] = "compress.yaml",
        ["description"] = "How Compress.Tasks stores each tensor of a model.",
        ["type"] = new JsonArray("object", "null"),
        ["properties"] = RecipeProperties(codecs),
        ["additionalProperties"] = false,
        ["allOf"] = new JsonArray([KeepExcludesMethod(codecs), BudgetSchema.OnlyWithBudget(), ChooseExcludesBits(codecs), .. codecs.Select(codec => TopLevelOf(codec, codec == codecs[0]))]),
        ["definitions"] = Definitions(codecs),
    };

    private static JsonObject RecipeProperties(IReadOnlyList<ICodec> codecs)
    {
        var properties = new JsonObject
        {
            [RecipeKeys.Version] = Describe(
                new JsonObject { ["enum"] = new JsonArray(RecipeKeys.GrammarVersion) }, "The version of this grammar. Default: 1."),
            [RecipeKeys.Source] = new JsonObject
            {
                ["description"] = "Which part of the model's file is the model.",
                ["type"] = "object",
                ["properties"] = new JsonObject
                {
                    [RecipeKeys.StateDict] = new JsonObject
                    {
                        ["description"] = "Of a PyTorch checkpoint that holds several dictionaries of tensors, the one that is the model; those around it stand before it, with dots between.",
                        ["type"] = "string",
                        ["minLength"] = 1,
                    },
                },
                ["required"] = new JsonArray(RecipeKeys.StateDict),
                ["additionalProperties"] = false,
            },
            [RecipeKeys.Method] = Method(codecs, $"How matrices that no rule names are compressed. Default: {codecs[0].Name}."),
            [RecipeKeys.Keep] = Keep("Store matrices that no rule names uncompressed."),
            [RecipeKeys.Choose] = BudgetSchema.Choose("What the budget chooses from for matrices that no rule names. Default: all widths of the method."),
            [RecipeKeys.Layers] = new JsonObject
            {
                ["description"] = "Rules for single layers; the first whose pattern matches a tensor's name decides.",
                ["type"] = new JsonArray("array", "null"),
                ["items"] = Reference("rule"),
            },
            [RecipeKeys.Seed] = new JsonObject
            {
                ["description"] = "Seeds all random numbers. Default: 0.",
                ["type"] = "integer",
                ["minimum"] = 0,
                ["maximum"] = ulong.MaxValue,
            },
            [RecipeKeys.NonFinite] = Describe(
                Choices(RecipeKeys.NonFiniteChoices), "Tensors with NaN or infinity: an error (default), or kept as they are."),
            [RecipeKeys.Budget] = BudgetSchema.Create(),
            [RecipeKeys.Calibration] = CalibrationSchema.Create(),
            [RecipeKeys.Recover] = RecoverySchema.Create(),
            [RecipeKeys.Gate] = GateSchema.Create(),
        };
        properties[RecipeKeys.Prune] = PruneSchema.Create();
        properties[RecipeKeys.LowRank] = LowRankSchema.Create();
        BudgetSchema.AddLimits(properties);
        AddSettings(properties, codecs);
        return properties;
    }

    private static JsonObject Definitions(IReadOnlyList<ICodec> codecs)
    {
        var ruleProperties = new JsonObject
        {
            [RecipeKeys.Match] = new JsonObject
            {
                ["description"] = "A pattern of tensor names, or a list of them: * stands for any characters, ? for one.",
                ["anyOf"] = new JsonArray(
                    Reference("pattern"), new JsonObject { ["type"] = "array", ["items"] = Reference("pattern"), ["minItems"] = 1 }),
            },
            [RecipeKeys.Method] = Method(codecs, "How these tensors are compressed. Default: as the top level says."),
            [RecipeKeys.Keep] = Keep("Store these tensors uncompressed."),
            [RecipeKeys.Choose] = BudgetSchema.Choose("What the budget chooses from for these tensors. Default: all widths of the method."),
        };
        ruleProperties[RecipeKeys.Prune] = PruneSchema.Create();
        ruleProperties[RecipeKeys.LowRank] = LowRankSchema.Create();
        BudgetSchema.AddLimits(ruleProperties);
        AddSettings(ruleProperties, codecs);
        var definitions = new JsonObject
        {
            ["pattern"] = new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = RecipeReader.MaxPatternLength },
            ["rule"] = new JsonObject
            {
                ["type"] = "object",
                ["required"] = new JsonArray(RecipeKeys.Match),
                ["properties"] = ruleProperties,
                ["additionalProperties"] = false,
                ["minProperties"] = 2,
                ["allOf"] = new JsonArray([KeepExcludesMethod(codecs), BitsExcludeChoice(codecs), .. codecs.Select(codec => IfMethod(codec, false, SettingsOf(codec)))]),
            },
            ["option"] = Option(codecs),
        };
        foreach (var codec in codecs)
        {
            definitions[SettingsName(codec)] = OnlySettings(codec, codecs);
        }

        return definitions;
    }

    // One of those that a budget chooses from. It may be of any method: its settings are checked where it names one.
    private static JsonObject Option(IReadOnlyList<ICodec> codecs)
    {
        var properties = new JsonObject
        {
            [RecipeKeys.Method] = Method(codecs, "How tensors with this option are compressed. Default: as beside 'choose'."),
            [RecipeKeys.Keep] = Keep("Store tensors with this option uncompressed."),
        };
        properties[RecipeKeys.Prune] = PruneSchema.Create();
        properties[RecipeKeys.LowRank] = LowRankSchema.Create();
        BudgetSchema.AddLimits(properties);
        properties.Remove(RecipeKeys.Group);
        AddSettings(properties, codecs);
        return new()
        {
            ["type"] = "object",
            ["properties"] = properties,
            ["additionalProperties"] = false,
            ["minProperties"] = 1,
            ["allOf"] = new JsonArray([KeepExcludesMethod(codecs), BitsExcludeChoice(codecs), .. codecs.Select(codec => IfMethod(codec, false, SettingsOf(codec)))]),
        };
    }

    private static JsonObject ChooseExcludesBits(IReadOnlyList<ICodec> codecs)
    {
        var none = new JsonObject();
        foreach (string name in BitsSettings(codecs))
        {
            none[name] = false;
        }

        return new() { ["if"] = Required(RecipeKeys.Choose), ["then"] = new JsonObject { ["properties"] = none } };
    }

    private static IEnumerable<string> BitsSettings(IReadOnlyList<ICodec> codecs) =>
        codecs.SelectMany(codec => codec.Settings).Where(setting => setting.GivesBits).Select(setting => setting.Name).Distinct();

    // A rule that gives the bits leaves a budget nothing to choose.
    private static JsonObject BitsExcludeChoice(IReadOnlyList<ICodec> codecs) => new()
    {
        ["if"] = new JsonObject { ["anyOf"] = new JsonArray([.. BitsSettings(codecs).Select(Required)]) },
        ["then"] = new JsonObject { ["properties"] = BudgetSchema.None() },
    };

    // A method's own settings in their bounds, and none of another method's.
    private static JsonObject OnlySettings(ICodec codec, IReadOnlyList<ICodec> codecs)
    {
        var properties = new JsonObject();
        foreach (var setting in codec.Settings)
        {
            properties[setting.Name] = Of(setting);
        }

        foreach (string foreign in SettingNames(codecs).Where(name => !properties.ContainsKey(name)))
        {
            properties[foreign] = false;
        }

        return new() { ["description"] = $"{codec.Name}: {codec.Summary}", ["properties"] = properties };
    }

    // Where the top level has this method, its settings hold there and in all rules that name no method.
    private static JsonObject TopLevelOf(ICodec codec, bool isDefault)
    {
        var rules = new JsonObject
        {
            ["items"] = new JsonObject { ["if"] = Required(RecipeKeys.Method), ["else"] = SettingsOf(codec) },
        };
        return IfMethod(codec, isDefault, new JsonObject
        {
            ["allOf"] = new JsonArray(SettingsOf(codec), new JsonObject { ["properties"] = new JsonObject { [RecipeKeys.Layers] = rules } }),
        });
    }

    private static JsonObject IfMethod(ICodec codec, bool orAbsent, JsonObject then)
    {
        var condition = new JsonObject
        {
            ["properties"] = new JsonObject { [RecipeKeys.Method] = new JsonObject { ["enum"] = new JsonArray(codec.Name) } },
        };
        if (!orAbsent)
        {
            condition["required"] = new JsonArray(RecipeKeys.Method);
        }

        return new() { ["if"] = condition, ["then"] = then };
    }

    private static JsonObject KeepExcludesMethod(IReadOnlyList<ICodec> codecs)
    {
        var none = BudgetSchema.None();
        none[RecipeKeys.Method] = false;
        foreach (string name in SettingNames(codecs))
        {
            none[name] = false;
        }

        return new() { ["if"] = Required(RecipeKeys.Keep), ["then"] = new JsonObject { ["properties"] = none } };
    }

    // For completion, whatever the method: a setting that several methods have may be as any of them says.
    private static void AddSettings(JsonObject properties, IReadOnlyList<ICodec> codecs)
    {
        foreach (string name in SettingNames(codecs))
        {
            var owners = codecs.SelectMany(codec => codec.Settings.Where(s => s.Name == name), (codec, setting) => (codec, setting)).ToArray();
            properties[name] = owners is [var (_, only)]
                ? Of(only)
                : new JsonObject
                {
                    ["description"] = string.Join(" ", owners.Select(owner => $"{owner.codec.Name}: {owner.setting.Description}")),
                    ["anyOf"] = new JsonArray([.. owners.Select(owner => Of(owner.setting))]),
                };
        }
    }

    private static IEnumerable<string> SettingNames(IReadOnlyList<ICodec> codecs) =>
        codecs.SelectMany(codec => codec.Settings).Select(setting => setting.Name).Distinct();

    private static JsonObject Of(Setting setting)
    {
        var type = setting switch
        {
            { Default: int } => new JsonObject { ["type"] = "integer", ["minimum"] = setting.Min, ["maximum"] = setting.Max },
            { Default: double } => new JsonObject { ["type"] = "number", ["minimum"] = setting.Min, ["maximum"] = setting.Max },
            { Default: bool } => new JsonObject { ["type"] = "boolean" },
            { Choices: { } choices } => Choices(choices),
            _ => new JsonObject { ["type"] = "string" },
        };
        type["default"] = JsonValue.Create(setting.Default);
        return Describe(type, setting.Description);
    }

    private static JsonObject Method(IReadOnlyList<ICodec> codecs, string description)
    {
        string methods = string.Join(" ", codecs.Select(codec => $"{codec.Name}: {codec.Summary}."));
        return Describe(Choices(codecs.Select(codec => codec.Name)), $"{description} {methods}");
    }

    private static JsonObject Keep(string description) => Describe(
        Choices(RecipeKeys.KeepTypes.Select(type => type.Key)), $"{description} source: as they are; else, where that is narrower, as that type.");

    private static JsonObject Choices(IEnumerable<string> choices) => new() { ["enum"] = new JsonArray([.. choices.Select(c => JsonValue.Create(c))]) };

    private static JsonObject Required(string key) => new() { ["required"] = new JsonArray(key) };

    private static JsonObject Describe(JsonObject schema, string description)
    {
        schema.Insert(0, "description", description);
        return schema;
    }

    private static string SettingsName(ICodec codec) => $"settingsOf-{codec.Name}";

    private static JsonObject SettingsOf(ICodec codec) => Reference(SettingsName(codec));

    private static JsonObject Reference(string definition) => new() { ["$ref"] = $"#/definitions/{definition}" };
}
