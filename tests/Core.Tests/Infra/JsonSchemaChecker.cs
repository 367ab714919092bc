using System.Text.RegularExpressions;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Compress.Core.Tests.Infra;

/// <summary>The part of JSON schema draft-07 that our schema uses; a keyword that it does not know is an error of the test.</summary>
internal sealed class JsonSchemaChecker(JsonObject root)
{
    private static readonly HashSet<string> Annotations = ["$schema", "$id", "title", "description", "default", "definitions"];

    /// <summary>True if the instance is valid.</summary>
    public bool IsValid(JsonNode? instance) => IsValid(instance, root);

    private bool IsValid(JsonNode? instance, JsonNode? schema)
    {
        if (schema is JsonValue always)
        {
            return always.GetValue<bool>();
        }

        var keywords = (JsonObject)schema!;
        if (keywords["$ref"] is { } reference)
        {
            Assert.Single(keywords); // draft-07 ignores whatever stands beside it
            return IsValid(instance, Resolve(reference.GetValue<string>()));
        }

        return keywords.All(keyword => Holds(instance, keyword.Key, keyword.Value!, keywords));
    }

    private bool Holds(JsonNode? instance, string keyword, JsonNode value, JsonObject schema) => keyword switch
    {
        _ when Annotations.Contains(keyword) => true,
        "type" => value is JsonArray types ? types.Any(type => IsType(instance, type!.GetValue<string>())) : IsType(instance, value.GetValue<string>()),
        "enum" => ((JsonArray)value).Any(choice => JsonNode.DeepEquals(choice, instance)),
        "allOf" => ((JsonArray)value).All(part => IsValid(instance, part)),
        "anyOf" => ((JsonArray)value).Any(part => IsValid(instance, part)),
        "if" => IsValid(instance, value) ? !schema.ContainsKey("then") || IsValid(instance, schema["then"]) : !schema.ContainsKey("else") || IsValid(instance, schema["else"]),
        "then" or "else" => schema.ContainsKey("if"),
        "minimum" => Number(instance) is not { } n || n >= Number(value),
        "maximum" => Number(instance) is not { } n || n <= Number(value),
        "exclusiveMinimum" => Number(instance) is not { } n || n > Number(value),
        "exclusiveMaximum" => Number(instance) is not { } n || n < Number(value),
        "pattern" => Text(instance) is not { } text || Regex.IsMatch(text, value.GetValue<string>(), RegexOptions.ECMAScript),
        "minLength" => Text(instance) is not { } text || text.Length >= (int)value,
        "maxLength" => Text(instance) is not { } text || text.Length <= (int)value,
        "items" => instance is not JsonArray items || items.All(item => IsValid(item, value)),
        "minItems" => instance is not JsonArray items || items.Count >= (int)value,
        "required" => instance is not JsonObject map || ((JsonArray)value).All(key => map.ContainsKey(key!.GetValue<string>())),
        "minProperties" => instance is not JsonObject map || map.Count >= (int)value,
        "properties" => instance is not JsonObject map || map.All(p => !((JsonObject)value).TryGetPropertyValue(p.Key, out var of) || IsValid(p.Value, of)),
        "additionalProperties" => instance is not JsonObject map || map.All(p => ((JsonObject)schema["properties"]!).ContainsKey(p.Key) || IsValid(p.Value, value)),
        _ => throw new InvalidOperationException($"the checker does not know '{keyword}'"),
    };

    private JsonNode? Resolve(string reference)
    {
        Assert.StartsWith("#/", reference, StringComparison.Ordinal);
        return reference[2..].Split('/').Aggregate((JsonNode?)root, (node, name) => node![name]);
    }

    private static bool IsType(JsonNode? instance, string type) => type switch
    {
        "null" => instance is null,
        "object" => instance is JsonObject,
        "array" => instance is JsonArray,
        "string" => Text(instance) is not null,
        "boolean" => instance?.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
        "number" => Number(instance) is not null,
        "integer" => Number(instance) is { } n && n == decimal.Truncate(n),
        _ => throw new InvalidOperationException($"no type '{type}'"),
    };

    private static string? Text(JsonNode? instance) => instance?.GetValueKind() == JsonValueKind.String ? instance.GetValue<string>() : null;

    private static decimal? Number(JsonNode? instance) => instance?.GetValueKind() == JsonValueKind.Number
        ? decimal.Parse(instance.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture)
        : null;
}
