using System;
using System.Globalization;
using System.IO;
using System.Linq;
using Compress.Core.Diagnostics;
using Microsoft.Build.Framework;

namespace Compress.Tasks;

/// <summary>Runs in every real build: finds out, from file times alone, whether the engine has to run.</summary>
[MSBuildMultiThreadableTask]
public sealed class CompressFindStaleModels : CompressTask
{
    /// <summary>What <see cref="CompressResolveModels"/> resolved.</summary>
    [Required]
    public ITaskItem[] Models { get; set; } = [];

    /// <summary>Where packed models go.</summary>
    [Required]
    public string IntermediateDirectory { get; set; } = "";

    /// <summary>The engine, compress.dll.</summary>
    [Required]
    public string EnginePath { get; set; } = "";

    /// <summary>The property CompressForce: true to run the engine even if nothing has changed.</summary>
    public string Force { get; set; } = "";

    /// <summary>The property CompressMaxParallelism, checked here for <see cref="CompressRunEngine"/>.</summary>
    public string MaxParallelism { get; set; } = "";

    /// <summary>The property CompressCacheMode.</summary>
    public string CacheMode { get; set; } = "";

    /// <summary>The property CompressCacheMaxSize.</summary>
    public string CacheMaxSize { get; set; } = "";

    /// <summary>The property CompressCacheSalt. Another one makes every model stale.</summary>
    public string CacheSalt { get; set; } = "";

    /// <summary>A file that lists all models, for <see cref="CompressRunEngine"/>; null if all are up to date.</summary>
    [Output]
    public string? ModelList { get; private set; }

    /// <inheritdoc/>
    protected override void Run()
    {
        if (!PropertiesAreGood())
        {
            return;
        }

        ModelJob[] jobs = [.. Models.Select(ResolvedModel.FromItem).Select(model => new ModelJob(model.Source, model.Recipe, model.PackedFile)).Distinct()];
        var staleness = new Staleness(EnginePath, CacheSalt);
        if (!IsTrue(Force) && !jobs.Any(staleness.IsStale))
        {
            return;
        }

        // All of them, not the stale ones: which are stale may change while projects for other frameworks are built.
        string folder = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ProjectFile), IntermediateDirectory));
        try
        {
            ModelList = ModelJob.Save(folder, jobs);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Diagnostics.Error(Codes.OutputNotWritable, folder, "cannot be written: " + exception.Message);
        }
    }

    private static bool IsTrue(string text) => text.Equals("true", StringComparison.OrdinalIgnoreCase);

    private bool PropertiesAreGood()
    {
        if (Force.Length > 0 && !IsTrue(Force) && !Force.Equals("false", StringComparison.OrdinalIgnoreCase))
        {
            Diagnostics.ItemError(Codes.ArgumentInvalid, $"CompressForce is '{Force}'; expected true or false");
        }

        if (MaxParallelism.Length > 0 && !(int.TryParse(MaxParallelism, NumberStyles.None, CultureInfo.InvariantCulture, out int threads) && threads > 0))
        {
            Diagnostics.ItemError(Codes.ArgumentInvalid, $"CompressMaxParallelism is '{MaxParallelism}'; expected a number of threads, 1 or more");
        }

        if (CacheSettings.Parse("", CacheMode, CacheMaxSize, CacheSalt, out string mistake) is null)
        {
            Diagnostics.ItemError(Codes.ArgumentInvalid, mistake);
        }

        return !Log.HasLoggedErrors;
    }
}
