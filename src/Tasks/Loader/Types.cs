namespace Compress.Tasks.Loader;

/// <summary>The Runtime's types, as generated code names them.</summary>
internal static class Types
{
    public const string Model = "global::Compress.Runtime.PackedModel";
    public const string Tensor = "global::Compress.Runtime.PackedTensor";
}
