using Compress.Core.Caching;
using Compress.Core.Diagnostics;
using Microsoft.Build.Construction;
using Microsoft.Build.Evaluation;
using Microsoft.Build.Exceptions;
using Microsoft.Build.Execution;
using Microsoft.Build.Framework;

namespace Compress.Cli.Projects;

/// <summary>
/// Evaluates projects as a build does, and lets the package's own target resolve their models: so that list and build never differ.
/// Only to be touched after <see cref="DotNetSdk.Find"/>.
/// </summary>
internal static class ProjectReader
{
    private const string Item = "CompressedModel";
    private const string ResolveTarget = "CompressResolveModels";

    /// <summary>The projects that a solution names; the path itself if it is a project.</summary>
    /// <exception cref="CompressException">It cannot be read.</exception>
    public static IReadOnlyList<string> Projects(string path)
    {
        if (Path.GetExtension(path) is not (".sln" or ".slnx"))
        {
            return [path];
        }

        try
        {
            return
            [
                .. SolutionFile.Parse(path).ProjectsInOrder
                    .Where(project => project.ProjectType != SolutionProjectType.SolutionFolder && Path.GetExtension(project.AbsolutePath).EndsWith("proj", StringComparison.Ordinal))
                    .Select(project => Path.GetFullPath(project.AbsolutePath)),
            ];
        }
        catch (InvalidProjectFileException exception)
        {
            throw Unreadable(path, exception);
        }
    }

    /// <summary>Reads a project.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="properties">Global properties, such as a configuration.</param>
    /// <param name="diagnostics">Receives what the package says of its items.</param>
    /// <returns>Null if there were errors.</returns>
    /// <exception cref="CompressException">It cannot be evaluated.</exception>
    public static ProjectModels? Read(string path, IReadOnlyDictionary<string, string> properties, DiagnosticBag diagnostics)
    {
        using var projects = new ProjectCollection();
        try
        {
            var project = Evaluate(path, properties, projects);
            if (project.GetItems(Item).Count == 0)
            {
                return new(path, [], null, CacheMode.ReadWrite, "", false);
            }

            if (!project.Targets.ContainsKey(ResolveTarget))
            {
                throw new CompressException(Codes.ProjectNotReadable,
                    $"it has {Item} items, but no package Compress.Tasks that works on them; run 'dotnet restore' first, or add the package", path);
            }

            var log = new DiagnosticLogger(diagnostics);
            bool built = project.Build([ResolveTarget], [log], out var outputs);
            return built && !diagnostics.HasErrors ? Models(path, project, outputs[ResolveTarget].Items) : null;
        }
        catch (InvalidProjectFileException exception)
        {
            throw Unreadable(path, exception);
        }
    }

    // A project for several frameworks has its models in each of them, and they share one packed file: any will do.
    private static ProjectInstance Evaluate(string path, IReadOnlyDictionary<string, string> properties, ProjectCollection projects)
    {
        var global = new Dictionary<string, string>(properties, StringComparer.OrdinalIgnoreCase);
        var project = new ProjectInstance(path, global, null, projects);
        if (project.GetPropertyValue("TargetFramework").Length > 0)
        {
            return project;
        }

        string? framework = project.GetPropertyValue("TargetFrameworks")
            .Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        if (framework is null)
        {
            return project;
        }

        global["TargetFramework"] = framework;
        return new ProjectInstance(path, global, null, projects);
    }

    private static ProjectModels Models(string path, ProjectInstance project, ITaskItem[] items)
    {
        string cache = project.GetPropertyValue("CompressCacheDir");
        string mode = project.GetPropertyValue("CompressCacheMode");
        return new(
            path,
            [.. items.Select(Model)],
            cache.Length == 0 ? null : Path.GetFullPath(cache, Path.GetDirectoryName(path)!),
            Enum.TryParse(mode, ignoreCase: true, out CacheMode known) ? known : CacheMode.ReadWrite,
            project.GetPropertyValue("CompressCacheSalt"),
            string.Equals(project.GetPropertyValue("CompressForce"), "true", StringComparison.OrdinalIgnoreCase));
    }

    private static ProjectModel Model(ITaskItem item)
    {
        string @namespace = item.GetMetadata("Namespace"), name = item.GetMetadata("ClassName");
        string recipe = item.GetMetadata("Recipe");
        return new(
            item.ItemSpec,
            recipe.Length == 0 ? null : recipe,
            @namespace.Length == 0 ? name : $"{@namespace}.{name}",
            item.GetMetadata("Storage"),
            item.GetMetadata("PackedFile"),
            item.GetMetadata("ReportFile"));
    }

    private static CompressException Unreadable(string path, InvalidProjectFileException exception) => new(
        new Diagnostic(
            Codes.ProjectNotReadable,
            Severity.Error,
            $"it cannot be evaluated: {exception.BaseMessage}",
            string.IsNullOrEmpty(exception.ProjectFile) ? path : exception.ProjectFile,
            Math.Max(exception.LineNumber, 1),
            Math.Max(exception.ColumnNumber, 1)),
        exception);

    /// <summary>What MSBuild and the package's target log, as diagnostics.</summary>
    private sealed class DiagnosticLogger(DiagnosticBag diagnostics) : ILogger
    {
        public LoggerVerbosity Verbosity { get; set; } = LoggerVerbosity.Quiet;

        public string? Parameters { get; set; }

        public void Initialize(IEventSource eventSource)
        {
            eventSource.ErrorRaised += (_, error) =>
                Add(Severity.Error, error.Code, error.Message, error.File, error.LineNumber, error.ColumnNumber);
            eventSource.WarningRaised += (_, warning) =>
                Add(Severity.Warning, warning.Code, warning.Message, warning.File, warning.LineNumber, warning.ColumnNumber);
        }

        public void Shutdown()
        {
        }

        private void Add(Severity severity, string? code, string? message, string? file, int line, int column)
        {
            bool ours = code?.StartsWith("CMPR", StringComparison.Ordinal) == true;
            diagnostics.Add(new Diagnostic(
                ours ? code! : Codes.ProjectNotReadable,
                severity,
                ours ? message ?? "" : $"{code}: {message}",
                string.IsNullOrEmpty(file) ? null : file,
                Math.Max(line, 1),
                Math.Max(column, 1)));
        }
    }
}
