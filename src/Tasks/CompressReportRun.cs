using System;
using System.IO;
using System.Linq;
using Microsoft.Build.Framework;

namespace Compress.Tasks;

/// <summary>
/// Logs what a run of the engine found, in the project whose models they are: there its NoWarn and WarningsAsErrors hold, and there
/// the user looks. Once per run, though each framework of the project asks: who gets hold of the file logs it.
/// </summary>
[MSBuildMultiThreadableTask]
public sealed class CompressReportRun : CompressTask
{
    /// <summary>What <see cref="CompressRunEngine.Findings"/> gave: one file.</summary>
    [Required]
    public ITaskItem[] Findings { get; set; } = [];

    /// <inheritdoc/>
    protected override void Run()
    {
        ITaskItem findings = Findings.Single();
        foreach (DiagnosticLine line in Claim(findings.ItemSpec).Select(DiagnosticLine.Parse).OfType<DiagnosticLine>())
        {
            Diagnostics.Write(line);
        }

        if (findings.GetMetadata(CompressRunEngine.Failed) == "true")
        {
            FailSilently();
        }
        else if (Log.HasLoggedErrors)
        {
            // Warnings that count as errors: they must come again until they are mended.
            foreach (string file in Models.Select(ResolvedModel.FromItem).Select(model => ResolvedModel.FingerprintFile(model.PackedFile)))
            {
                File.Delete(file);
            }
        }
    }

    private static string[] Claim(string file)
    {
        string claimed = file + "." + Guid.NewGuid().ToString("N").Substring(0, 8);
        try
        {
            File.Move(file, claimed);
        }
        catch (FileNotFoundException)
        {
            return []; // the same project, built for another framework, was first
        }

        string[] lines = File.ReadAllLines(claimed);
        File.Delete(claimed);
        return lines;
    }
}
