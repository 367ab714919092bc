using System;
using System.IO;
using System.Linq;
using Compress.Core.Diagnostics;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Compress.Tasks;

/// <summary>Runs in every real build: finds out, from file times alone, whether the engine has to run.</summary>
[MSBuildMultiThreadableTask]
public sealed class CompressFindStaleModels : Task
{
    /// <summary>What <see cref="CompressResolveModels"/> resolved.</summary>
    [Required]
    public ITaskItem[] Models { get; set; } = [];

    /// <summary>The project's absolute path.</summary>
    [Required]
    public string ProjectFile { get; set; } = "";

    /// <summary>Where packed models go.</summary>
    [Required]
    public string IntermediateDirectory { get; set; } = "";

    /// <summary>The engine, compress.dll.</summary>
    [Required]
    public string EnginePath { get; set; } = "";

    /// <summary>True to run the engine even if nothing has changed.</summary>
    public bool Force { get; set; }

    /// <summary>A file that lists all models, for <see cref="CompressRunEngine"/>; null if all are up to date.</summary>
    [Output]
    public string? ModelList { get; private set; }

    /// <inheritdoc/>
    public override bool Execute()
    {
        ModelJob[] jobs = [.. Models.Select(ResolvedModel.FromItem).Select(model => new ModelJob(model.Source, model.Recipe, model.PackedFile)).Distinct()];
        var staleness = new Staleness(EnginePath);
        if (jobs.Any(job => Force || staleness.IsStale(job)))
        {
            // All of them, not the stale ones: which are stale may change while projects for other frameworks are built.
            string folder = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ProjectFile), IntermediateDirectory));
            try
            {
                ModelList = ModelJob.Save(folder, jobs);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                new TaskDiagnostics(Log, ProjectFile, designTime: false).Error(Codes.OutputNotWritable, folder, "cannot be written: " + exception.Message);
            }
        }

        return !Log.HasLoggedErrors;
    }
}
