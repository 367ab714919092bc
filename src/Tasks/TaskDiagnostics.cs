using System;
using System.IO;
using Compress.Core.Diagnostics;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Compress.Tasks;

/// <summary>
/// Logs what goes wrong in one form: code, file, line, column, link. Neither an end nor a subcategory: the forms that CI systems
/// look for in a log have none.
/// </summary>
/// <param name="log">The task's log.</param>
/// <param name="projectFile">Blamed for what is wrong with an item: items do not know their line.</param>
/// <param name="designTime">An editor is asking: mistakes are warnings, so that IntelliSense goes on.</param>
internal sealed class TaskDiagnostics(TaskLoggingHelper log, string projectFile, bool designTime)
{
    /// <summary>Logs an error about an item or a property of the project.</summary>
    public void ItemError(string code, string message) => Error(code, projectFile, message);

    /// <summary>Logs a warning about an item or a property of the project.</summary>
    public void ItemWarning(string code, string message) => Write(new DiagnosticLine(projectFile, 1, 1, DiagnosticLine.Warning, code, message));

    /// <summary>Logs an error about a file, at its first character.</summary>
    public void Error(string code, string file, string message) => Write(new DiagnosticLine(file, 1, 1, DiagnosticLine.Error, code, message));

    /// <summary>Logs what the engine said.</summary>
    public void Write(DiagnosticLine line)
    {
        string? link = HelpLink.Of(line.Code);
        if (line.Kind == DiagnosticLine.Message)
        {
            log.LogMessage(null, line.Code, null, line.File ?? projectFile, line.Line, line.Column, 0, 0, MessageImportance.High, "{0}", line.Text);
        }
        else if (line.Kind == DiagnosticLine.Error && !designTime)
        {
            log.LogError(null, line.Code, null, link, line.File ?? projectFile, line.Line, line.Column, 0, 0, line.Text);
        }
        else
        {
            log.LogWarning(null, line.Code, null, link, line.File ?? projectFile, line.Line, line.Column, 0, 0, line.Text);
        }
    }

    /// <summary>Logs an exception that no task expected as one line, and its stack for those who ask for detail.</summary>
    public void Unexpected(Exception exception)
    {
        if (exception is IOException or UnauthorizedAccessException)
        {
            ItemError(Codes.FileAccess, exception.Message);
        }
        else
        {
            ItemError(Codes.Internal, $"unexpected {exception.GetType().Name}: {exception.Message}; this is a fault of Compress.Tasks: please report it, with the log at detailed verbosity");
        }

        log.LogMessage(MessageImportance.Low, "{0}", exception);
    }
}
