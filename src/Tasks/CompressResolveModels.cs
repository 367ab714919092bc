using System;
using System.IO;
using System.Linq;
using Compress.Core.Diagnostics;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Compress.Tasks;

/// <summary>
/// Runs in every build, real or design-time: checks the <c>CompressedModel</c> items and fills in their metadata. Reads no file.
/// </summary>
[MSBuildMultiThreadableTask]
public sealed class CompressResolveModels : Task
{
    /// <summary>The <c>CompressedModel</c> items.</summary>
    [Required]
    public ITaskItem[] Models { get; set; } = [];

    /// <summary>The project's absolute path.</summary>
    [Required]
    public string ProjectFile { get; set; } = "";

    /// <summary>Where packed models go; one folder for all frameworks and configurations of the project.</summary>
    [Required]
    public string IntermediateDirectory { get; set; } = "";

    /// <summary>Where generated classes go; a folder of this framework and configuration.</summary>
    [Required]
    public string ClassDirectory { get; set; } = "";

    /// <summary>The default namespace.</summary>
    public string RootNamespace { get; set; } = "";

    /// <summary>The project's language; classes are generated in C#.</summary>
    public string Language { get; set; } = "C#";

    /// <summary>True in a design-time build: mistakes are warnings.</summary>
    public bool DesignTime { get; set; }

    /// <summary>The well-formed items with all metadata filled in.</summary>
    [Output]
    public ITaskItem[] Resolved { get; private set; } = [];

    /// <inheritdoc/>
    public override bool Execute()
    {
        var diagnostics = new TaskDiagnostics(Log, ProjectFile, DesignTime);
        string folder = Path.GetDirectoryName(ProjectFile);
        if (!Language.Equals("C#", StringComparison.OrdinalIgnoreCase))
        {
            diagnostics.ItemError(
                Codes.LanguageNotSupported, $"the loader class is generated in C#, and this is a {Language} project; put CompressedModel into a C# project");
            return !Log.HasLoggedErrors;
        }

        string intermediate = Path.GetFullPath(Path.Combine(folder, IntermediateDirectory));
        string classes = Path.GetFullPath(Path.Combine(folder, ClassDirectory));
        var models = new ItemResolver(folder, intermediate, classes, RootNamespace, diagnostics).Resolve(Models);
        Resolved = [.. models.Select(model => model.ToItem())];
        return !Log.HasLoggedErrors;
    }
}
