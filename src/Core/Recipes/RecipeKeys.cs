using Compress.Runtime.Safetensors;

namespace Compress.Core.Recipes;

/// <summary>The words of the grammar that belong to no method. The reader, the JSON schema and the messages use these.</summary>
internal static class RecipeKeys
{
    public const string Version = "version";
    public const string Method = "method";
    public const string Keep = "keep";
    public const string Layers = "layers";
    public const string Match = "match";
    public const string Seed = "seed";
    public const string NonFinite = "nonFinite";
    public const string Gate = "gate";
    public const string RelativeError = "relativeError";

    /// <summary>The only grammar so far.</summary>
    public const int GrammarVersion = 1;

    /// <summary>Keys of the whole recipe; a method's settings stand beside them.</summary>
    public static readonly string[] OfRecipe = [Version, Method, Keep, Layers, Seed, NonFinite, Gate];

    /// <summary>Keys of an entry of <c>layers</c>; a method's settings stand beside them.</summary>
    public static readonly string[] OfRule = [Match, Method, Keep];

    /// <summary>Keys of <c>gate</c>.</summary>
    public static readonly string[] OfGate = [RelativeError];

    /// <summary>Values of <c>keep</c>, and the element type that each means: null for the tensor's own.</summary>
    public static readonly IReadOnlyList<KeyValuePair<string, DType?>> KeepTypes =
        [new("source", null), new("float32", DType.F32), new("float16", DType.F16), new("bfloat16", DType.BF16)];

    /// <summary>Values of <c>nonFinite</c>, the default first.</summary>
    public static readonly string[] NonFiniteChoices = ["error", "keep"];
}
