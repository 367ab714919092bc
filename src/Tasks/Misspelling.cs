using System;
using System.Collections.Generic;
using Compress.Core.Diagnostics;
using Microsoft.Build.Framework;

namespace Compress.Tasks;

/// <summary>
/// Names that look like ours and are not: MSBuild takes any name, and a misspelt one does nothing. Of properties, a task can see those
/// from the command line only (<see cref="IBuildEngine6"/>); those of project files are beyond it. Metadata it sees all.
/// </summary>
internal static class Misspelling
{
    private const string Prefix = "Compress";
    private const string NotOurs = "Compression"; // the SDK has such properties

    private const int MostEdits = 2;

    /// <summary>All properties that users may set.</summary>
    public static readonly string[] Properties =
    [
        "CompressCacheDir", "CompressCacheMaxSize", "CompressCacheMode", "CompressCacheSalt", "CompressEmbedLimit", "CompressEnabled", "CompressExplain",
        "CompressForce", "CompressIntermediateDir", "CompressMaxParallelism", "CompressReport", "CompressTorchSharp",
    ];

    /// <summary>All metadata of an item that users may set.</summary>
    public static readonly string[] Metadata = ["Access", "ClassName", "Namespace", "Recipe", "Storage"];

    /// <summary>Warns of properties of the command line that start as ours do.</summary>
    public static void OfProperties(IBuildEngine engine, TaskDiagnostics diagnostics)
    {
        foreach (string name in GlobalProperties(engine))
        {
            if (name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && !name.StartsWith(NotOurs, StringComparison.OrdinalIgnoreCase)
                && Array.FindIndex(Properties, known => known.Equals(name, StringComparison.OrdinalIgnoreCase)) < 0)
            {
                diagnostics.ItemWarning(
                    Codes.NameUnknown,
                    $"Compress.Tasks has no property '{name}'; " + (Nearest(name, Properties) is { } near ? $"did you mean {near}?" : "it has " + string.Join(", ", Properties)));
            }
        }
    }

    /// <summary>Warns of metadata that is nearly ours. What is not near may be the user's own.</summary>
    public static void OfMetadata(ITaskItem item, TaskDiagnostics diagnostics)
    {
        foreach (string name in item.MetadataNames)
        {
            if (Nearest(name, Metadata) is { } near && !near.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                diagnostics.ItemWarning(Codes.NameUnknown, $"'{item.ItemSpec}' has metadata '{name}', which nothing reads; did you mean {near}?");
            }
        }
    }

    private static IEnumerable<string> GlobalProperties(IBuildEngine engine)
    {
        try
        {
            return engine is IBuildEngine6 host ? host.GetGlobalProperties().Keys : [];
        }
        catch (NotImplementedException)
        {
            return []; // a task host
        }
    }

    // The known name with the same first letter that takes the fewest edits; null if all take too many.
    private static string? Nearest(string name, string[] known)
    {
        string? nearest = null;
        int fewest = MostEdits + 1;
        foreach (string candidate in known)
        {
            if (Math.Abs(candidate.Length - name.Length) <= MostEdits && char.ToUpperInvariant(name[0]) == candidate[0])
            {
                int edits = Edits(name.ToUpperInvariant(), candidate.ToUpperInvariant());
                (nearest, fewest) = edits < fewest ? (candidate, edits) : (nearest, fewest);
            }
        }

        return nearest;
    }

    // Levenshtein's distance.
    private static int Edits(string left, string right)
    {
        int[] row = new int[right.Length + 1];
        for (int j = 0; j < row.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.Length; j++)
            {
                int substituted = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
