using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Compress.Core.Codecs;
using Compress.Core.Compression;
using Compress.Core.Models.Formats;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Recipes;

/// <summary>The recipe that <c>compress init</c> writes: the defaults, with the model's own layers as examples in comments.</summary>
public static partial class RecipeTemplate
{
    // Longer lists help nobody to choose.
    private const int MaxGroups = 60;

    /// <summary>The text of a commented recipe that does what no recipe does. Lines end in <c>\n</c>.</summary>
    /// <param name="header">The model that it is for.</param>
    /// <param name="stateDict">The dictionary of a checkpoint that the header is of; null if none was named.</param>
    /// <param name="codecs">The methods, the default first; without it, all there are.</param>
    public static string Create(ModelHeader header, string? stateDict = null, IReadOnlyList<ICodec>? codecs = null)
    {
        codecs ??= CodecTable.All;
        var groups = Groups(header);
        var text = new StringBuilder();
        Line($"# yaml-language-server: $schema={RecipeSchema.FileName}");
        Line("# How Compress.Tasks stores this model. All keys are optional; docs/compress-yaml.md explains them.");
        Line("");
        Line($"version: {RecipeKeys.GrammarVersion}");
        if (stateDict is not null)
        {
            Line($"{RecipeKeys.Source}: {{ {RecipeKeys.StateDict}: {Quoted(stateDict)} }}");
        }

        Line("");
        Line("# The method for every matrix that no rule below names:");
        foreach (var codec in codecs)
        {
            Line($"#   {codec.Name}: {codec.Summary}");
        }

        Line($"method: {codecs[0].Name}");
        foreach (var setting in codecs[0].Settings)
        {
            Line($"# {setting.Description}");
            Line($"{(setting.Name == "bits" ? "" : "# ")}{setting.Name}: {Value(setting.Default)}");
        }

        Line("");
        Line("# Rules: the first whose pattern matches a tensor's name decides. * stands for any characters, ? for one.");
        Line("# Without a rule, vectors and tensors of under 1,024 elements are kept as they are.");
        Line("layers:");
        foreach (string line in Examples(groups, codecs))
        {
            Line(line.Length == 0 ? "" : $"  # {line}");
        }

        Line("");
        Line("# Break the build when ‖W − Ŵ‖ / ‖W‖ over all compressed layers together is greater:");
        Line("# gate:");
        Line("#   relativeError: 0.15");
        Line("");
        Line("# Tensors with NaN or infinity: error, or keep them as they are.");
        Line("# nonFinite: error");
        Line("");
        Line("# Another seed gives other random rotations.");
        Line("# seed: 0");
        Line("");
        Line("# The tensors of this model:");
        foreach (var group in groups.Take(MaxGroups))
        {
            Line($"#   {group}");
        }

        if (groups.Count > MaxGroups)
        {
            Line(string.Create(CultureInfo.InvariantCulture, $"#   … and {groups.Count - MaxGroups} more patterns; 'compress inspect' lists all"));
        }

        return text.ToString();

        void Line(string line) => text.Append(line).Append('\n');
    }

    // Rules that a user would try first; each is valid for this model when its comment signs are removed.
    private static IEnumerable<string> Examples(IReadOnlyList<Group> groups, IReadOnlyList<ICodec> codecs)
    {
        var matrices = groups.Where(group => group.IsCompressedByDefault).ToArray();
        if (matrices.LastOrDefault(group => group.Count == 1) is { } single)
        {
            yield return "more bits for a layer that matters:";
            yield return $"- match: {Quoted(single.Pattern)}";
            yield return "  bits: 8";
        }

        if (codecs.Count > 1 && matrices.FirstOrDefault(group => group.Count > 1) is { } many)
        {
            yield return "another method:";
            yield return $"- match: {Quoted(many.Pattern)}";
            yield return $"  method: {codecs[1].Name}";
        }

        if (groups.FirstOrDefault(group => group.DType == DType.F32 && !group.IsCompressedByDefault) is { } small)
        {
            yield return "half the size of what is kept:";
            yield return $"- match: {Quoted(small.Pattern)}";
            yield return "  keep: float16";
        }
    }

    // Names that differ in their numbers only are one pattern, at the place of the first; the order is the model's.
    private static List<Group> Groups(ModelHeader header)
    {
        var groups = new Dictionary<(string, DType, string), Group>();
        var ordered = new List<Group>();
        foreach (var tensor in header.Tensors)
        {
            string pattern = NumberedSegment().Replace(tensor.Name, "*");
            string shape = string.Join(", ", tensor.Shape.Select(dimension => dimension.ToString(CultureInfo.InvariantCulture)));
            if (!groups.TryGetValue((pattern, tensor.DType, shape), out var group))
            {
                group = new(tensor, pattern, shape);
                groups.Add((pattern, tensor.DType, shape), group);
                ordered.Add(group);
            }

            group.Count++;
        }

        return ordered;
    }

    private static string Value(object value) =>
        value is bool flag ? (flag ? "true" : "false") : Convert.ToString(value, CultureInfo.InvariantCulture)!;

    // Names may hold anything that JSON can say; a comment must stay in its line, and a pattern in its quotes.
    private static string Quoted(string name)
    {
        var text = new StringBuilder("\"");
        foreach (char c in name)
        {
            bool plain = !char.IsControl(c) && !char.IsSurrogate(c) && c is not ('"' or '\\' or '\u2028' or '\u2029' or '\uFEFF');
            text.Append(plain ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}"));
        }

        return text.Append('"').ToString();
    }

    [GeneratedRegex(@"(?<=^|\.)[0-9]+(?=\.|$)")]
    private static partial Regex NumberedSegment();

    private sealed class Group(ModelTensor first, string pattern, string shape)
    {
        public int Count { get; set; }

        public DType DType => first.DType;

        public string Pattern => Count == 1 ? first.Name : pattern;

        public bool IsCompressedByDefault => first.DType.IsFloat() && !Plan.IsKeptWithoutRule(first);

        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"{Quoted(Pattern)}{(Count > 1 ? $" ×{Count}" : "")}: {DType.Name()} [{shape}]");
    }
}
