using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Compress.Core.Diagnostics;
using Microsoft.Build.Framework;

namespace Compress.Tasks;

/// <summary>
/// Runs in every build, real or design-time: checks the <c>CompressedModel</c> items, fills in their metadata, and finds out from file
/// times alone what is left to do. When that is nothing, it is the only task of ours that runs: most of the time that a task takes is spent
/// on loading and compiling it.
/// </summary>
[MSBuildMultiThreadableTask]
public sealed class CompressResolveModels : PlacingTask
{
    private static readonly Version OldestSdk = new(10, 0, 100);

    /// <summary>Where packed models go; one folder for all frameworks and configurations of the project.</summary>
    [Required]
    public string IntermediateDirectory { get; set; } = "";

    /// <summary>Where generated classes go; a folder of this framework and configuration.</summary>
    [Required]
    public string ClassDirectory { get; set; } = "";

    /// <summary>The default namespace.</summary>
    public string RootNamespace { get; set; } = "";

    /// <summary>The version of the .NET SDK; empty if the build does not know.</summary>
    public string SdkVersion { get; set; } = "";

    /// <summary>Whether the project is one of <c>&lt;Project Sdk="Microsoft.NET.Sdk"&gt;</c>.</summary>
    public bool SdkStyle { get; set; }

    /// <summary>The project's language; classes are generated in C#.</summary>
    public string Language { get; set; } = "C#";

    /// <summary>The engine, compress.dll.</summary>
    public string EnginePath { get; set; } = "";

    /// <summary>True if the build uses packed models.</summary>
    public bool Places { get; set; }

    /// <summary>True if the build also makes them.</summary>
    public bool Compresses { get; set; }

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

    /// <summary>The page to write about all models, if any.</summary>
    public string Page { get; set; } = "";

    /// <summary>The property CompressReport, checked here.</summary>
    public string Report { get; set; } = "";

    /// <summary>The property CompressExplain: true to say of every model why it is compressed or not.</summary>
    public string Explain { get; set; } = "";

    /// <summary>The well-formed items with all metadata filled in.</summary>
    [Output]
    public ITaskItem[] Resolved { get; private set; } = [];

    /// <summary>A file that lists all models, for <see cref="CompressRunEngine"/>; null if all are up to date.</summary>
    [Output]
    public string? ModelList { get; private set; }

    /// <summary>True if a class must be looked at by <see cref="CompressGenerateLoaders"/>.</summary>
    [Output]
    public bool ClassesStale { get; private set; }

    /// <inheritdoc/>
    protected override void Run()
    {
        if (!Suits())
        {
            return;
        }

        Misspelling.OfProperties(BuildEngine, Diagnostics);
        string intermediate = Absolute(IntermediateDirectory);
        var models = new ItemResolver(Path.GetDirectoryName(ProjectFile), intermediate, Absolute(ClassDirectory), RootNamespace, Diagnostics).Resolve(Models);
        var items = new ITaskItem[models.Count];
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = models[i].ToItem();
            ClassesStale |= LoaderFile.IsStale(models[i]);
        }

        Resolved = items;
        if (Compresses && PropertiesAreGood() && !Log.HasLoggedErrors)
        {
            FindStale(models, intermediate);
        }

        if (Places && !Log.HasLoggedErrors)
        {
            Place(models);
        }

        // Not in every build: looking at metadata takes as long as all of the above.
        if (ClassesStale || ModelList is not null)
        {
            Array.ForEach(Models, item => Misspelling.OfMetadata(item, Diagnostics));
        }
    }

    private static bool IsTrue(string text) => text.Equals("true", StringComparison.OrdinalIgnoreCase);

    private bool Suits()
    {
        if (!SdkStyle)
        {
            Diagnostics.ItemError(
                Codes.SdkTooOld, "Compress.Tasks needs an SDK-style project; convert this one, or put CompressedModel into one that is");
        }
        else if (Version.TryParse(SdkVersion.Split('-')[0], out Version version) && version < OldestSdk)
        {
            Diagnostics.ItemError(
                Codes.SdkTooOld,
                $"Compress.Tasks needs the .NET SDK {OldestSdk} or later, and this is {SdkVersion}; install a newer one, or look for an older version in global.json");
        }
        else if (!Language.Equals("C#", StringComparison.OrdinalIgnoreCase))
        {
            Diagnostics.ItemError(
                Codes.LanguageNotSupported, $"the loader class is generated in C#, and this is a {Language} project; put CompressedModel into a C# project");
        }
        else
        {
            return true;
        }

        return false;
    }

    private bool PropertiesAreGood()
    {
        CheckSwitch("CompressForce", Force);
        CheckSwitch("CompressExplain", Explain);
        CheckSwitch("CompressReport", Report);

        if (MaxParallelism.Length > 0 && !(int.TryParse(MaxParallelism, NumberStyles.None, CultureInfo.InvariantCulture, out int threads) && threads > 0))
        {
            Diagnostics.ItemError(Codes.ArgumentInvalid, $"CompressMaxParallelism is '{MaxParallelism}'; expected a number of threads, 1 or more");
        }

        if (CacheMode.Length + CacheMaxSize.Length > 0 && CacheSettings.Parse("", CacheMode, CacheMaxSize, CacheSalt, out string mistake) is null)
        {
            Diagnostics.ItemError(Codes.ArgumentInvalid, mistake);
        }

        return !Log.HasLoggedErrors;
    }

    private void CheckSwitch(string property, string value)
    {
        if (value.Length > 0 && !IsTrue(value) && !value.Equals("false", StringComparison.OrdinalIgnoreCase))
        {
            Diagnostics.ItemError(Codes.ArgumentInvalid, $"{property} is '{value}'; expected true or false");
        }
    }

    private void FindStale(IReadOnlyList<ResolvedModel> models, string intermediate)
    {
        var staleness = new Staleness(EnginePath, CacheSalt);
        bool stale = IsTrue(Force) || (Page.Length > 0 && !File.Exists(Absolute(Page))), explains = IsTrue(Explain);
        for (int i = 0; i < models.Count && (!stale || explains); i++)
        {
            string? reason = IsTrue(Force) ? "CompressForce is set" : staleness.Reason(models[i]);
            stale |= reason is not null;
            if (explains)
            {
                Log.LogMessage(MessageImportance.High, "{0}: {1}", models[i].Source, reason ?? "up to date");
            }
        }

        if (!stale)
        {
            return;
        }

        try
        {
            // All of them, not the stale ones: which are stale may change while projects for other frameworks are built.
            ModelList = ModelJob.Save(intermediate, models);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Diagnostics.Error(Codes.OutputNotWritable, intermediate, "cannot be written: " + exception.Message);
        }
    }
}
