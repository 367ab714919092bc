using Microsoft.Build.Utilities;

namespace Compress.Tasks;

/// <summary>Logs the user's mistakes in one form: code, file, line, column.</summary>
/// <param name="log">The task's log.</param>
/// <param name="projectFile">Blamed for what is wrong with an item: items do not know their line.</param>
/// <param name="designTime">An editor is asking: mistakes are warnings, so that IntelliSense goes on.</param>
internal sealed class TaskDiagnostics(TaskLoggingHelper log, string projectFile, bool designTime)
{
    /// <summary>Logs an error about an item of the project.</summary>
    public void ItemError(string code, string message) => Error(code, projectFile, message);

    /// <summary>Logs an error about a file, at its first character.</summary>
    public void Error(string code, string file, string message)
    {
        if (designTime)
        {
            log.LogWarning(null, code, null, file, 1, 1, 0, 0, message);
        }
        else
        {
            log.LogError(null, code, null, file, 1, 1, 0, 0, message);
        }
    }
}
