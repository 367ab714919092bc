using System;
using System.IO;
using System.Linq;
using Compress.Core.Diagnostics;
using Compress.Core.Models.Formats;
using Compress.Tasks.Loader;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Compress.Tasks;

/// <summary>
/// Writes the typed loaders, in real and in design-time builds alike: they depend on the models' headers and the items alone, never on
/// packed bytes. Nothing is read while the times of the files are what they were.
/// </summary>
[MSBuildMultiThreadableTask]
public sealed class CompressGenerateLoaders : Task, IIncrementalTask
{
    private const string RuntimeAssembly = "Compress.Runtime";

    /// <summary>What <see cref="CompressResolveModels"/> resolved.</summary>
    [Required]
    public ITaskItem[] Models { get; set; } = [];

    /// <summary>The project's absolute path.</summary>
    [Required]
    public string ProjectFile { get; set; } = "";

    /// <summary>The assemblies that the compiler will reference.</summary>
    public ITaskItem[] References { get; set; } = [];

    /// <summary>True in a design-time build: mistakes are warnings.</summary>
    public bool DesignTime { get; set; }

    /// <inheritdoc/>
    public bool FailIfNotIncremental { get; set; }

    /// <summary>The classes to compile.</summary>
    [Output]
    public ITaskItem[] Classes { get; private set; } = [];

    /// <summary>All files of this framework and configuration that are ours, for Clean.</summary>
    [Output]
    public ITaskItem[] Written { get; private set; } = [];

    /// <inheritdoc/>
    public override bool Execute()
    {
        var diagnostics = new TaskDiagnostics(Log, ProjectFile, DesignTime);
        if (!References.Any(reference => reference.GetMetadata("Filename") == RuntimeAssembly))
        {
            diagnostics.ItemError(
                Codes.RuntimeMissing,
                "the generated class needs Compress.Runtime, which this project does not reference: it comes with the package Compress.Tasks "
                + "to projects that target net10.0 or later, unless its compile assets are excluded; or add <PackageReference Include=\"Compress.Runtime\" />");
            return !Log.HasLoggedErrors;
        }

        ResolvedModel[] models = [.. Models.Select(ResolvedModel.FromItem)];
        foreach (ResolvedModel model in models)
        {
            Generate(model, diagnostics);
        }

        Classes = [.. models.Where(model => File.Exists(model.ClassFile)).Select(model => new TaskItem(ItemText.Escape(model.ClassFile)))];
        Written = [.. models.SelectMany(model => new[] { model.ClassFile, FingerprintFile(model) }).Select(file => new TaskItem(ItemText.Escape(file)))];
        return !Log.HasLoggedErrors;
    }

    private static string FingerprintFile(ResolvedModel model) => model.ClassFile + ".fingerprint";

    private void Generate(ResolvedModel model, TaskDiagnostics diagnostics)
    {
        string settings = $"loader {Staleness.BuildId}\t{model.Source}\t{model.FullName}\t{model.IsPublic}\t{model.Storage == ModelStorage.File}";
        if (Fingerprint.Matches(FingerprintFile(model), settings))
        {
            return;
        }

        DateTime start = DateTime.UtcNow;
        try
        {
            if (ModelFormats.Find(model.Source) is not { } format)
            {
                diagnostics.Error(
                    Codes.ModelUnknownFormat, model.Source, "is no model that can be read; expected " + string.Join("; ", ModelFormats.All.Select(f => f.Looks)));
                return;
            }

            ModelHeader header = format.ReadHeader(model.Source);
            string text = LoaderEmitter.Emit(new LoaderRequest(
                header,
                model.Namespace,
                model.ClassName,
                model.IsPublic,
                model.Storage == ModelStorage.File ? null : model.DeployedName,
                model.DeployedName,
                typeof(LoaderEmitter).Assembly.GetName().Version.ToString()));
            bool changed = !File.Exists(model.ClassFile) || File.ReadAllText(model.ClassFile) != text;
            if (changed && FailIfNotIncremental)
            {
                diagnostics.Error(Codes.NotUpToDate, model.Source, $"the class {model.FullName} is not up to date");
                return;
            }

            TextFile.WriteIfDifferent(model.ClassFile, text);
            if (!header.Files.Any(file => Fingerprint.IsTooFresh(file, start)))
            {
                Fingerprint.Write(FingerprintFile(model), settings, Fingerprint.Take([model.Source, .. header.Files, model.ClassFile]));
            }
        }
        catch (ModelFormatException exception)
        {
            diagnostics.Error(Codes.ModelMalformed, exception.File, exception.Message);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            diagnostics.Error(Codes.ModelNotReadable, model.Source, exception.Message);
        }
    }
}
