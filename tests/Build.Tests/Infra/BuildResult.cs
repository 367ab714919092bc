using Microsoft.Build.Logging.StructuredLogger;

namespace Compress.Build.Tests.Infra;

/// <summary>What one run of MSBuild did, by its binary log: console text depends on language and terminal.</summary>
internal sealed class BuildResult(int exitCode, string output, string binlog)
{
    private readonly Lazy<Microsoft.Build.Logging.StructuredLogger.Build> log = new(() => BinaryLog.ReadBuild(binlog));

    public string Output => output;

    public bool Succeeded => exitCode == 0;

    /// <summary>How often the engine was started.</summary>
    public int EngineRuns => All<Microsoft.Build.Logging.StructuredLogger.Task>("CompressRunEngine").Count(task => task.CommandLineArguments is not null);

    /// <summary>How often the compiler ran.</summary>
    public int Compilations => All<Microsoft.Build.Logging.StructuredLogger.Task>("Csc").Count;

    /// <summary>The texts of all messages, whatever their importance.</summary>
    public IReadOnlyList<string> Messages
    {
        get
        {
            var found = new List<string>();
            log.Value.VisitAllChildren<Message>(message => found.Add(message.Text));
            return found;
        }
    }

    /// <summary>Where our task assembly was loaded from, each time that it was.</summary>
    public IReadOnlyList<string> LoadedTasks =>
    [
        .. Messages.Where(text => text.StartsWith("Assembly loaded", StringComparison.Ordinal) && text.Contains("Compress.Tasks.dll", StringComparison.Ordinal)),
    ];

    /// <summary>The tasks of ours that ran, by name, in order.</summary>
    public IEnumerable<string> OurTasks => All<Microsoft.Build.Logging.StructuredLogger.Task>()
        .Where(task => task.Name.StartsWith("Compress.Tasks.", StringComparison.Ordinal)).Select(task => task.Name["Compress.Tasks.".Length..]);

    /// <summary>The tasks that a multithreaded build ran in another process, because they do not say that they need none of their own.</summary>
    public IEnumerable<string> TasksInOtherProcesses => Events
        .Where(build => build.Message?.Contains("ran in TaskHost process", StringComparison.Ordinal) == true).Select(build => build.Message!.Split('"')[1]);

    public IReadOnlyList<AbstractDiagnostic> Errors => Diagnostics<Error>();

    public IReadOnlyList<AbstractDiagnostic> Warnings => Diagnostics<Warning>();

    /// <summary>The nodes of that name, or whose name ends with a dot and that name.</summary>
    public IReadOnlyList<T> All<T>(string name)
        where T : NamedNode
    {
        var found = new List<T>();
        log.Value.VisitAllChildren<T>(node =>
        {
            if (node.Name == name || node.Name.EndsWith("." + name, StringComparison.Ordinal))
            {
                found.Add(node);
            }
        });
        return found;
    }

    /// <summary>All nodes of a kind.</summary>
    public IReadOnlyList<T> All<T>()
        where T : BaseNode
    {
        var found = new List<T>();
        log.Value.VisitAllChildren<T>(found.Add);
        return found;
    }

    /// <summary>All events, as they were logged.</summary>
    public IEnumerable<Microsoft.Build.Framework.BuildEventArgs> Events => BinaryLog.ReadRecords(binlog).Select(record => record.Args).OfType<Microsoft.Build.Framework.BuildEventArgs>();

    /// <summary>The names of the files that are embedded in the log.</summary>
    public IEnumerable<string> EmbeddedFiles => log.Value.SourceFiles.Select(file => file.FullPath);

    public BuildResult MustSucceed()
    {
        Assert.True(Succeeded, output);
        return this;
    }

    public BuildResult MustFail()
    {
        Assert.False(Succeeded, output);
        return this;
    }

    private List<AbstractDiagnostic> Diagnostics<T>()
        where T : AbstractDiagnostic
    {
        var found = new List<AbstractDiagnostic>();
        log.Value.VisitAllChildren<T>(found.Add);
        return found;
    }
}
