using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Compress.Tasks;

/// <summary>Tells whether a packed model is what its source, its recipe and the engine of today would give, by looking at times only.</summary>
/// <param name="engine">The absolute path of compress.dll.</param>
/// <param name="salt">The salt of the cache: who changes it wants every layer computed again.</param>
internal sealed class Staleness(string engine, string salt)
{
    // The engine's own assemblies decide as much as the recipe does.
    private readonly string[] engineFiles = Directory.Exists(Path.GetDirectoryName(engine))
        ? [.. Directory.GetFiles(Path.GetDirectoryName(engine), "*.dll").OrderBy(file => file, StringComparer.Ordinal)]
        : [];

    /// <summary>Tells builds of this assembly apart; the same for the same source.</summary>
    public static string BuildId { get; } = typeof(Staleness).Module.ModuleVersionId.ToString();

    /// <summary>True if the model must be looked at by the engine.</summary>
    public bool IsStale(ModelJob job) => !Fingerprint.Matches(ResolvedModel.FingerprintFile(job.PackedFile), Settings(job));

    /// <summary>What the fingerprint of a model starts with.</summary>
    public string Settings(ModelJob job) =>
        $"compress {BuildId}\t{engine}\t{job.Source}\t{(job.Recipe.Length > 0 ? job.Recipe : "no recipe")}\t{salt}";

    /// <summary>All files that a fingerprint of the model has to list.</summary>
    /// <param name="job">The model.</param>
    /// <param name="read">The files that the engine says it read.</param>
    public IEnumerable<string> Inputs(ModelJob job, IEnumerable<string> read) =>
        new[] { job.Source, job.Recipe }.Where(file => file.Length > 0).Concat(read).Concat(engineFiles);
}
