using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Compress.Core.Diagnostics;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Compress.Tasks;

/// <summary>
/// Starts the engine once for all models that are not up to date: <c>dotnet compress.dll msbuild REQUEST.json</c>. While it runs, the
/// node is free for other projects; when the build is cancelled, the engine is given time to end by itself, then it and what it started
/// is killed.
/// </summary>
[MSBuildMultiThreadableTask]
public sealed class CompressRunEngine : ToolTask
{
    internal const string Failed = "Failed";

    private const string Progress = "progress: ";
    private const string Summary = "summary: ";
    private const string Explanation = "explain: ";
    private const string Quality = "quality: ";

    // A little more than the engine takes at most once Ctrl+C has reached it, as it reaches all programs of a terminal.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly List<DiagnosticLine> diagnostics = [];
    private readonly List<string> unexplained = [];
    private readonly TaskCompletionSource<bool> ended = new();
    private string requestFile = "";
    private string blamed = "";
    private bool cancelled;

    /// <summary>Leaves the node to other projects while the engine runs.</summary>
    public CompressRunEngine() => YieldDuringToolExecution = true;

    /// <summary>The work, as <see cref="CompressResolveModels"/> listed it.</summary>
    [Required]
    public string ModelList { get; set; } = "";

    /// <summary>The engine, compress.dll.</summary>
    [Required]
    public string EnginePath { get; set; } = "";

    /// <summary>The absolute path of the <c>dotnet</c> host.</summary>
    [Required]
    public string DotNetHost { get; set; } = "";

    /// <summary>The absolute path of the layer cache; empty for the engine's default.</summary>
    public string CacheDirectory { get; set; } = "";

    /// <summary>The property CompressCacheMode.</summary>
    public string CacheMode { get; set; } = "";

    /// <summary>The property CompressCacheMaxSize.</summary>
    public string CacheMaxSize { get; set; } = "";

    /// <summary>The property CompressCacheSalt. Another one makes every model stale.</summary>
    public string CacheSalt { get; set; } = "";

    /// <summary>The most threads that the engine may use; 0 for as many as the build has.</summary>
    public int MaxParallelism { get; set; }

    /// <summary>True to run the engine for every model and to compute every layer anew.</summary>
    public bool Force { get; set; }

    /// <summary>The page to write about all models, if any; then all are looked at whenever one is stale.</summary>
    public string Page { get; set; } = "";

    /// <summary>True to say of every layer that is encoded why it is.</summary>
    public bool Explain { get; set; }

    /// <summary>A file of all errors and warnings for <see cref="CompressReportRun"/>, and whether a model failed; null if there are none.</summary>
    [Output]
    public ITaskItem? Findings { get; private set; }

    /// <inheritdoc/>
    protected override string ToolName => "dotnet";

    /// <inheritdoc/>
    protected override Encoding StandardOutputEncoding => Encoding.UTF8;

    /// <inheritdoc/>
    protected override Encoding StandardErrorEncoding => Encoding.UTF8;

    /// <inheritdoc/>
    protected override MessageImportance StandardErrorLoggingImportance => MessageImportance.Low;

    /// <summary>Kills the engine unless it ends by itself: what is killed leaves the locks of its layers in the cache.</summary>
    public override void Cancel()
    {
        cancelled = true;
        if (!ended.Task.Wait(Patience))
        {
            base.Cancel();
        }
    }

    /// <summary>Succeeds if the engine fails: what it found is <see cref="CompressReportRun"/>'s to log, in the project that asked.</summary>
    public override bool Execute()
    {
        bool succeeded = false;
        try
        {
            succeeded = Run();
        }
        catch (Exception exception) when (cancelled || exception.GetType().Name == "BuildAbortedException")
        {
            cancelled = true; // so MSBuild answers a cancelled task that wants its node back; the type is not in what tasks are compiled against
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Error(Codes.OutputNotWritable, Path.GetDirectoryName(ModelList), "cannot be written: " + exception.Message);
        }
#pragma warning disable CA1031 // The outermost handler: MSBuild would show the stack of whatever passes.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            new TaskDiagnostics(Log, ModelList, designTime: false).Unexpected(exception);
        }

        if (cancelled)
        {
            LogHere(); // no further task runs
            return false;
        }

        HandOver(succeeded);
        return !Log.HasLoggedErrors;
    }

    /// <inheritdoc/>
    protected override string GenerateFullPathToTool() => DotNetHost;

    /// <inheritdoc/>
    protected override string GetWorkingDirectory() => Path.GetDirectoryName(ModelList);

    /// <inheritdoc/>
    protected override string GenerateCommandLineCommands()
    {
        var line = new CommandLineBuilder();
        line.AppendSwitch("exec");
        line.AppendFileNameIfNotNull(EnginePath);
        line.AppendSwitch("msbuild");
        line.AppendFileNameIfNotNull(requestFile);
        return line.ToString();
    }

    /// <inheritdoc/>
    protected override void LogEventsFromTextOutput(string singleLine, MessageImportance messageImportance)
    {
        if (DiagnosticLine.Parse(singleLine) is { } found)
        {
            diagnostics.Add(found with { File = found.File ?? blamed });
        }
        else if (singleLine.StartsWith(Progress, StringComparison.Ordinal))
        {
            Log.LogMessage(MessageImportance.High, "{0}", singleLine.Substring(Progress.Length));
        }
        else if (singleLine.StartsWith(Summary, StringComparison.Ordinal))
        {
            Log.LogMessage(MessageImportance.Normal, "{0}", singleLine.Substring(Summary.Length));
        }
        else if (singleLine.StartsWith(Explanation, StringComparison.Ordinal) || singleLine.StartsWith(Quality, StringComparison.Ordinal))
        {
            Log.LogMessage(MessageImportance.High, "{0}", singleLine.Substring(singleLine.IndexOf(": ", StringComparison.Ordinal) + 2));
        }
        else
        {
            unexplained.Add(singleLine);
            Log.LogMessage(MessageImportance.Low, "{0}", singleLine);
        }
    }

    /// <inheritdoc/>
    protected override bool HandleTaskExecutionErrors()
    {
        if (!cancelled && !diagnostics.Any(line => line.Kind == DiagnosticLine.Error))
        {
            string said = unexplained.FirstOrDefault(line => line.Trim().Length > 0) is { } first ? $", saying '{first.Trim()}'" : "";
            Error(Codes.EngineDied, EnginePath, $"the engine ended with exit code {ExitCode}{said}; the log at detailed verbosity has all of it");
        }

        return false;
    }

    private bool Run()
    {
        var staleness = new Staleness(EnginePath, CacheSalt);
        // Looked at again: another project of this build may have done the work in the meantime.
        var all = ModelJob.Load(ModelList);
        ModelJob[] stale = [.. all.Where(job => Force || staleness.IsStale(job))];
        if (FailIfNotIncremental)
        {
            foreach (ModelJob job in stale)
            {
                Error(Codes.NotUpToDate, job.Source, "the packed model is not up to date");
            }

            return stale.Length == 0;
        }

        if (Page.Length > 0 && (stale.Length > 0 || !File.Exists(Page)))
        {
            stale = [.. all]; // the others cost little: all their layers are cached
        }

        return stale.Length == 0 || (FilesExist() && Compress(stale, staleness));
    }

    private bool FilesExist()
    {
        foreach (string file in new[] { EnginePath, DotNetHost })
        {
            if (!File.Exists(file))
            {
                Error(
                    Codes.EngineNotFound,
                    file.Length > 0 ? file : "dotnet",
                    "is needed to compress models and does not exist; restore the packages again, or repair the .NET SDK");
                return false;
            }
        }

        return true;
    }

    private bool Compress(ModelJob[] stale, Staleness staleness)
    {
        requestFile = Path.ChangeExtension(ModelList, ".request.json");
        blamed = stale[0].Source; // for what the engine says of no file: lines without one are lost on CI systems
        var before = stale.ToDictionary(job => job, job => Fingerprint.Take(Fingerprint.Files(FingerprintPath(job)).Concat(Staleness.Inputs(job, []))));
        DateTime start = DateTime.UtcNow;
        int wanted = MaxParallelism > 0 ? MaxParallelism : Environment.ProcessorCount;
        using (var cores = new GrantedCores(BuildEngine, wanted))
        {
            // Malformed properties have been reported by now: no build gets here with one.
            CacheSettings cache = CacheSettings.Parse(CacheDirectory, CacheMode, CacheMaxSize, CacheSalt, out _)!;
            TextFile.Write(requestFile, EngineRequest.Text(stale, cache, cores.Count, Force, Explain, Page));
            try
            {
                if (!base.Execute())
                {
                    return false;
                }
            }
            finally
            {
                ended.TrySetResult(true);
            }
        }

        foreach (ModelJob job in stale)
        {
            if (!File.Exists(job.PackedFile) || EngineRequest.FilesRead(ResolvedModel.RecordFile(job.PackedFile)) is not { } read)
            {
                Error(Codes.EngineDied, EnginePath, $"the engine ended without a result for '{job.Source}'");
                return false;
            }

            Record(job, staleness, [.. Staleness.Inputs(job, read)], before[job], start);
        }

        // Visual Studio compares this one's time with the models'.
        string stamp = Path.Combine(Path.GetDirectoryName(ModelList), "compress.stamp");
        File.WriteAllText(stamp, "");
        File.SetLastWriteTimeUtc(stamp, DateTime.UtcNow);
        return true;
    }

    // A file that changed while the engine ran, or may have, leaves no fingerprint: the next build looks again.
    private static void Record(ModelJob job, Staleness staleness, string[] inputs, IReadOnlyList<string> before, DateTime start)
    {
        var after = Fingerprint.Take(inputs.Concat([job.PackedFile]));
        bool changed = before.Where(line => inputs.Contains(line.Split('\t')[0])).Except(after).Any();
        if (changed || staleness.EngineIsTooFresh(start) || inputs.Any(file => Fingerprint.IsTooFresh(file, start)))
        {
            File.Delete(FingerprintPath(job));
            return;
        }

        Fingerprint.Write(FingerprintPath(job), staleness.Settings(job), after);
    }

    private void HandOver(bool succeeded)
    {
        if (diagnostics.Count == 0)
        {
            return;
        }

        try
        {
            string file = Path.ChangeExtension(ModelList, ".diagnostics");
            TextFile.Write(file, string.Concat(diagnostics.Select(line => line + "\n")));
            Findings = new TaskItem(ItemText.Escape(file), new Dictionary<string, string> { [Failed] = succeeded ? "false" : "true" });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Perhaps the disk is full, which is just what it has to tell.
            LogHere();
        }
    }

    // In the name of the inner project, where nothing better is possible.
    private void LogHere()
    {
        var log = new TaskDiagnostics(Log, ModelList, designTime: false);
        diagnostics.ForEach(log.Write);
    }

    private void Error(string code, string file, string message) => diagnostics.Add(new DiagnosticLine(file, 1, 1, DiagnosticLine.Error, code, message));

    private static string FingerprintPath(ModelJob job) => ResolvedModel.FingerprintFile(job.PackedFile);
}
