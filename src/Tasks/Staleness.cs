using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Compress.Tasks;

/// <summary>Tells whether a packed model is what its source, its recipe and the engine of today would give, by looking at times only.</summary>
internal sealed class Staleness
{
    private readonly string engine;
    private readonly string salt;
    private readonly string[] engineFiles;
    private readonly string engineState;

    /// <summary>Looks at the engine: its own assemblies decide as much as the recipe does.</summary>
    /// <param name="engine">The absolute path of compress.dll.</param>
    /// <param name="salt">The salt of the cache: who changes it wants every layer computed again.</param>
    public Staleness(string engine, string salt)
    {
        this.engine = engine;
        this.salt = salt;
        string folder = Path.GetDirectoryName(engine);
        engineFiles = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.dll") : [];
        uint state = 0;
        foreach (string file in engineFiles)
        {
            state += ShortHash.Value(Fingerprint.Line(file)); // a sum: in whatever order the system lists them
        }

        engineState = ShortHash.Text(state);
    }

    /// <summary>Tells builds of this assembly apart; the same for the same source.</summary>
    public static string BuildId { get; } = Digits(typeof(Staleness).Module.ModuleVersionId);

    /// <summary>True if the model must be looked at by the engine.</summary>
    public bool IsStale(ModelJob job) => Reason(job) is not null;

    /// <summary>Why the model must be looked at by the engine; null if it need not.</summary>
    public string? Reason(ModelJob job) => Fingerprint.Difference(ResolvedModel.FingerprintFile(job.PackedFile), Settings(job));

    /// <summary>What the fingerprint of a model starts with.</summary>
    public string Settings(ModelJob job) =>
        string.Join("\t", "compress " + BuildId, engine, engineState, job.Source, job.Recipe.Length > 0 ? job.Recipe : "no recipe", salt);

    /// <summary>All files that a fingerprint of the model has to list.</summary>
    /// <param name="job">The model.</param>
    /// <param name="read">The files that the engine says it read.</param>
    public static IEnumerable<string> Inputs(ModelJob job, IEnumerable<string> read) =>
        new[] { job.Source, job.Recipe }.Where(file => file.Length > 0).Concat(read);

    /// <summary>True if the engine was changed so shortly before a moment that another change would not show.</summary>
    public bool EngineIsTooFresh(DateTime momentUtc) => engineFiles.Any(file => Fingerprint.IsTooFresh(file, momentUtc));

    // Guid.ToString uses vectors, which the runtime would have to compile first.
    private static string Digits(Guid id)
    {
        byte[] bytes = id.ToByteArray();
        return BitConverter.ToUInt64(bytes, 0).ToString("x16", CultureInfo.InvariantCulture) + BitConverter.ToUInt64(bytes, 8).ToString("x16", CultureInfo.InvariantCulture);
    }
}
