namespace Compress.Tasks;

/// <summary>The file of a generated class, and what it was made from.</summary>
internal static class LoaderFile
{
    /// <summary>Where that is written down.</summary>
    public static string FingerprintFile(ResolvedModel model) => model.ClassFile + ".fingerprint";

    /// <summary>What the fingerprint starts with.</summary>
    public static string Settings(ResolvedModel model) =>
        string.Join("\t", "loader " + Staleness.BuildId, model.Source, model.Recipe, model.FullName, model.IsPublic ? "public" : "internal", model.Storage == ModelStorage.File ? "file" : "resource");

    /// <summary>True if the class must be looked at.</summary>
    public static bool IsStale(ResolvedModel model) => Fingerprint.Difference(FingerprintFile(model), Settings(model)) is not null;
}
