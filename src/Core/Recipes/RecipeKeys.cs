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
    public const string Calibration = "calibration";
    public const string Statistics = "statistics";
    public const string Tokens = "tokens";
    public const string Rounds = "rounds";
    public const string Budget = "budget";
    public const string Bits = "bits";
    public const string Size = "size";
    public const string Sensitivity = "sensitivity";
    public const string Probe = "probe";
    public const string Metric = "metric";
    public const string Source = "source";
    public const string StateDict = "stateDict";
    public const string StandardError = "standardError";
    public const string Choose = "choose";
    public const string Group = "group";
    public const string MinBits = "minBits";
    public const string MaxBits = "maxBits";
    public const string Gate = "gate";
    public const string Recover = "recover";
    public const string Steps = "steps";
    public const string Time = "time";
    public const string LearningRate = "learningRate";
    public const string Temperature = "temperature";
    public const string Blocks = "blocks";
    public const string RelativeError = "relativeError";
    public const string Perplexity = "perplexity";
    public const string Kl = "kl";
    public const string Severity = "severity";
    public const string Increase = "increase";
    public const string Max = "max";
    public const string Text = "text";
    public const string Unit = "unit";
    public const string Window = "window";
    public const string Stride = "stride";
    public const string Limit = "limit";
    public const string Bos = "bos";
    public const string LowRank = "lowrank";
    public const string Rank = "rank";
    public const string Energy = "energy";
    public const string By = "by";
    public const string Of = "of";
    public const string Prune = "prune";
    public const string Sparsity = "sparsity";
    public const string Pattern = "pattern";
    public const string Scope = "scope";

    /// <summary>The only grammar so far.</summary>
    public const int GrammarVersion = 1;

    /// <summary>Keys that say what a budget may choose from.</summary>
    public static readonly string[] OfChoice = [Choose, MinBits, MaxBits, Group];

    /// <summary>Keys of what is done before or after the method.</summary>
    public static readonly string[] OfStages = [Prune, LowRank];

    /// <summary>Keys of <c>lowrank</c>.</summary>
    public static readonly string[] OfLowRank = [Rank, Energy, Bits, By, Of];

    /// <summary>Keys of <c>lowrank</c> that say the rank: one of them is given.</summary>
    public static readonly string[] OfRank = [Rank, Energy, Bits];

    /// <summary>Values of <c>by</c>, the default first.</summary>
    public static readonly string[] Factorizations = ["svd", "whitened"];

    /// <summary>Values of <c>of</c>, the default first.</summary>
    public static readonly string[] Factored = ["weights", "residual"];

    /// <summary>Keys of <c>prune</c>.</summary>
    public static readonly string[] OfPrune = [Sparsity, Pattern, By, Scope];

    /// <summary>Keys of <c>prune</c> that say how much: one of them is given.</summary>
    public static readonly string[] OfSparsity = [Sparsity, Pattern];

    /// <summary>Values of <c>by</c> in <c>prune</c>, the default first.</summary>
    public static readonly string[] Saliencies = ["magnitude", "wanda", "sparsegpt"];

    /// <summary>Values of <c>scope</c>, the default first.</summary>
    public static readonly string[] Scopes = ["layer", "global"];

    /// <summary>Keys of the whole recipe; a method's settings stand beside them.</summary>
    public static readonly string[] OfRecipe = [Version, Source, Method, Keep, .. OfStages, .. OfChoice, Layers, Seed, NonFinite, Budget, Calibration, Recover, Gate];

    /// <summary>Keys of an entry of <c>layers</c>; a method's settings stand beside them.</summary>
    public static readonly string[] OfRule = [Match, Method, Keep, .. OfStages, .. OfChoice];

    /// <summary>Keys of an entry of <c>choose</c>; a method's settings stand beside them.</summary>
    public static readonly string[] OfOption = [Method, Keep, .. OfStages, MinBits, MaxBits];

    /// <summary>Keys of <c>source</c>.</summary>
    public static readonly string[] OfSource = [StateDict];

    /// <summary>Keys of <c>gate</c>.</summary>
    public static readonly string[] OfGate = [RelativeError, Perplexity, Kl, Severity];

    /// <summary>Keys of <c>budget</c>.</summary>
    public static readonly string[] OfBudget = [Bits, Size, Sensitivity];

    /// <summary>Keys of <c>sensitivity</c>.</summary>
    public static readonly string[] OfSensitivity = [Probe, Metric, Source, StandardError, Tokens];

    /// <summary>Values of <c>probe</c>, the default first.</summary>
    public static readonly string[] Probes = ["grid", "noise"];

    /// <summary>Values of <c>metric</c>, the default first.</summary>
    public static readonly string[] Metrics = [Kl, Perplexity];

    /// <summary>Values of <c>source</c>, the default first: where there is a text.</summary>
    public static readonly string[] Sources = [Calibration, "random"];

    /// <summary>Keys of <c>calibration</c>.</summary>
    public static readonly string[] OfCalibration = [Text, Tokens, Unit, Window, Seed, Rounds, Statistics];

    /// <summary>Keys of <c>recover</c>.</summary>
    public static readonly string[] OfRecovery = [Text, Tokens, Unit, Window, Seed, Steps, Time, LearningRate, Temperature, Blocks];

    /// <summary>Keys of <c>blocks</c> in <c>recover</c>.</summary>
    public static readonly string[] OfBlocks = [Steps, Time, LearningRate];

    /// <summary>Keys that say on what a language model is measured.</summary>
    public static readonly string[] OfEvaluation = [Text, Unit, Window, Stride, Limit, Bos];

    /// <summary>Values of <c>severity</c>, the default first.</summary>
    public static readonly string[] Severities = ["error", "warning"];

    /// <summary>Values of <c>unit</c>, the default first.</summary>
    public static readonly string[] Units = ["document", "paragraph"];

    /// <summary>Values of <c>keep</c>, and the element type that each means: null for the tensor's own.</summary>
    public static readonly IReadOnlyList<KeyValuePair<string, DType?>> KeepTypes =
        [new("source", null), new("float32", DType.F32), new("float16", DType.F16), new("bfloat16", DType.BF16)];

    /// <summary>Values of <c>nonFinite</c>, the default first.</summary>
    public static readonly string[] NonFiniteChoices = ["error", "keep"];
}
