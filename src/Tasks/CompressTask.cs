using System;
using System.IO;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Compress.Tasks;

/// <summary>What our tasks have in common: they know their project, and whatever goes wrong is one line, never a stack trace.</summary>
public abstract class CompressTask : Task
{
    private bool failed;

    /// <summary>The items: as the user wrote them for <see cref="CompressResolveModels"/>, as that resolved them for the others.</summary>
    [Required]
    public ITaskItem[] Models { get; set; } = [];

    /// <summary>The project's absolute path.</summary>
    [Required]
    public string ProjectFile { get; set; } = "";

    /// <summary>True in a design-time build: mistakes are warnings.</summary>
    public bool DesignTime { get; set; }

    private protected TaskDiagnostics Diagnostics => new(Log, ProjectFile, DesignTime);

    /// <inheritdoc/>
    public sealed override bool Execute()
    {
        try
        {
            Run();
        }
#pragma warning disable CA1031 // The outermost handler: MSBuild would show the stack of whatever passes.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Diagnostics.Unexpected(exception);
        }

        return !failed && !Log.HasLoggedErrors;
    }

    /// <summary>The path, made absolute by the project's folder: the process may run in any.</summary>
    private protected string Absolute(string path) => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ProjectFile), path));

    /// <summary>Does the work, and logs what is wrong.</summary>
    protected abstract void Run();

    /// <summary>Fails the task without an error, since the error is in the log already.</summary>
    private protected void FailSilently()
    {
        failed = true;
        if (BuildEngine is IBuildEngine7 engine)
        {
            engine.AllowFailureWithoutError = true;
        }
    }
}
