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
public sealed class CompressResolveModels : CompressTask
{
    private static readonly Version OldestSdk = new(10, 0, 100);

    /// <summary>The <c>CompressedModel</c> items.</summary>
    [Required]
    public ITaskItem[] Models { get; set; } = [];

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

    /// <summary>The well-formed items with all metadata filled in.</summary>
    [Output]
    public ITaskItem[] Resolved { get; private set; } = [];

    /// <inheritdoc/>
    protected override void Run()
    {
        if (!Suits())
        {
            return;
        }

        string folder = Path.GetDirectoryName(ProjectFile);
        string intermediate = Path.GetFullPath(Path.Combine(folder, IntermediateDirectory));
        string classes = Path.GetFullPath(Path.Combine(folder, ClassDirectory));
        var models = new ItemResolver(folder, intermediate, classes, RootNamespace, Diagnostics).Resolve(Models);
        Resolved = [.. models.Select(model => model.ToItem())];
    }

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
}
