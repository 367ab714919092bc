using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Compress.Tasks;

/// <summary>What the engine has to know of a model.</summary>
/// <param name="Source">The absolute path of the model.</param>
/// <param name="Recipe">The absolute path of its recipe, or empty for the built-in defaults.</param>
/// <param name="PackedFile">The absolute path of the result.</param>
public record ModelJob(string Source, string Recipe, string PackedFile)
{
    /// <summary>
    /// Writes different jobs to a file that is named after its content, and returns its path. Builds for several frameworks that
    /// ask for the same work name the same file, which is how MSBuild knows that it has done it.
    /// </summary>
    public static string Save(string folder, IEnumerable<ModelJob> jobs)
    {
        string text = string.Concat(jobs.Select(job => $"{job.Source}\t{job.Recipe}\t{job.PackedFile}\n").Distinct());
        string path = Path.Combine(folder, ShortHash.Of(text) + ".models");
        TextFile.WriteIfDifferent(path, text);
        return path;
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public static IReadOnlyList<ModelJob> Load(string path) =>
        [.. File.ReadAllLines(path).Select(line => line.Split('\t')).Select(parts => new ModelJob(parts[0], parts[1], parts[2]))];
}
