using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Compress.Core.Diagnostics;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Compress.Tasks;

/// <summary>
/// Starts the engine once for all models that are not up to date: <c>dotnet compress.dll msbuild REQUEST.json</c>. While it runs, the
/// node is free for other projects; when the build is cancelled, the engine and what it started is killed.
/// </summary>
[MSBuildMultiThreadableTask]
public sealed class CompressRunEngine : ToolTask
{
    private const string Progress = "progress: ";
    private const string Summary = "summary: ";

    private readonly List<string> unexplained = [];
    private string requestFile = "";
    private string blamed = "";

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

    /// <summary>The most threads that the engine may use; 0 for as many as the build has.</summary>
    public int MaxParallelism { get; set; }

    /// <summary>True to run the engine for every model and to compute every layer anew.</summary>
    public bool Force { get; set; }

    /// <inheritdoc/>
    protected override string ToolName => "dotnet";

    /// <inheritdoc/>
    protected override Encoding StandardOutputEncoding => Encoding.UTF8;

    /// <inheritdoc/>
    protected override Encoding StandardErrorEncoding => Encoding.UTF8;

    /// <inheritdoc/>
    protected override MessageImportance StandardErrorLoggingImportance => MessageImportance.Low;

    /// <inheritdoc/>
    public override bool Execute()
    {
        var staleness = new Staleness(EnginePath);
        // Looked at again: another project of this build may have done the work in the meantime.
        ModelJob[] stale = [.. ModelJob.Load(ModelList).Where(job => Force || staleness.IsStale(job))];
        if (stale.Length == 0)
        {
            return true;
        }

        if (FailIfNotIncremental)
        {
            foreach (ModelJob job in stale)
            {
                Log.LogError(null, Codes.NotUpToDate, null, job.Source, 1, 1, 0, 0, "the packed model is not up to date");
            }

            return false;
        }

        return FilesExist() && Run(stale, staleness);
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
        if (EngineLine.Parse(singleLine) is { } found)
        {
            if (found.IsError)
            {
                Log.LogError(null, found.Code, null, found.File ?? blamed, found.Line, found.Column, 0, 0, found.Text);
            }
            else
            {
                Log.LogWarning(null, found.Code, null, found.File ?? blamed, found.Line, found.Column, 0, 0, found.Text);
            }
        }
        else if (singleLine.StartsWith(Progress, StringComparison.Ordinal))
        {
            Log.LogMessage(MessageImportance.High, "{0}", singleLine.Substring(Progress.Length));
        }
        else if (singleLine.StartsWith(Summary, StringComparison.Ordinal))
        {
            Log.LogMessage(MessageImportance.Normal, "{0}", singleLine.Substring(Summary.Length));
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
        if (!Log.HasLoggedErrors)
        {
            string said = unexplained.FirstOrDefault(line => line.Trim().Length > 0) is { } first ? $", saying '{first.Trim()}'" : "";
            Log.LogError(
                null, Codes.EngineDied, null, EnginePath, 1, 1, 0, 0, $"the engine ended with exit code {ExitCode}{said}; the log at detailed verbosity has all of it");
        }

        return false;
    }

    private bool FilesExist()
    {
        foreach (string file in new[] { EnginePath, DotNetHost })
        {
            if (!File.Exists(file))
            {
                Log.LogError(
                    null, Codes.EngineNotFound, null, file.Length > 0 ? file : "dotnet", 1, 1, 0, 0,
                    "is needed to compress models and does not exist; restore the packages again, or repair the .NET SDK");
                return false;
            }
        }

        return true;
    }

    private bool Run(ModelJob[] stale, Staleness staleness)
    {
        requestFile = Path.ChangeExtension(ModelList, ".request.json");
        blamed = stale[0].Source; // for what the engine says of no file: lines without one are lost on CI systems
        var before = stale.ToDictionary(job => job, job => Fingerprint.Take(Fingerprint.Files(FingerprintPath(job)).Concat(staleness.Inputs(job, []))));
        DateTime start = DateTime.UtcNow;
        int wanted = MaxParallelism > 0 ? MaxParallelism : Environment.ProcessorCount;
        using (var cores = new GrantedCores(BuildEngine, wanted))
        {
            string? cache = CacheDirectory.Length > 0 ? CacheDirectory : null;
            TextFile.Write(requestFile, EngineRequest.Text(stale, cache, cores.Count, Force));
            if (!base.Execute())
            {
                return false;
            }
        }

        foreach (ModelJob job in stale)
        {
            Record(job, staleness, before[job], start);
        }

        // Visual Studio compares this one's time with the models'.
        string stamp = Path.Combine(Path.GetDirectoryName(ModelList), "compress.stamp");
        File.WriteAllText(stamp, "");
        File.SetLastWriteTimeUtc(stamp, DateTime.UtcNow);
        return true;
    }

    // A file that changed while the engine ran, or may have, leaves no fingerprint: the next build looks again.
    private static void Record(ModelJob job, Staleness staleness, IReadOnlyList<string> before, DateTime start)
    {
        string[] inputs = [.. staleness.Inputs(job, EngineRequest.FilesRead(ResolvedModel.RecordFile(job.PackedFile)))];
        var after = Fingerprint.Take(inputs.Concat([job.PackedFile]));
        bool changed = before.Where(line => inputs.Contains(line.Split('\t')[0])).Except(after).Any();
        if (changed || inputs.Any(file => Fingerprint.IsTooFresh(file, start)))
        {
            File.Delete(FingerprintPath(job));
            return;
        }

        Fingerprint.Write(FingerprintPath(job), staleness.Settings(job), after);
    }

    private static string FingerprintPath(ModelJob job) => ResolvedModel.FingerprintFile(job.PackedFile);
}
