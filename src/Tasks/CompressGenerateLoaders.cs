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
public sealed class CompressGenerateLoaders : CompressTask, IIncrementalTask
{
    private const string RuntimeAssembly = "Compress.Runtime";

    /// <summary>What <see cref="CompressResolveModels"/> resolved.</summary>
    [Required]
    public ITaskItem[] Models { get; set; } = [];

    /// <summary>The assemblies that the compiler will reference.</summary>
    public ITaskItem[] References { get; set; } = [];

    /// <inheritdoc/>
    public bool FailIfNotIncremental { get; set; }

    /// <summary>The classes to compile.</summary>
    [Output]
    public ITaskItem[] Classes { get; private set; } = [];

    /// <summary>All files of this framework and configuration that are ours, for Clean.</summary>
    [Output]
    public ITaskItem[] Written { get; private set; } = [];

    /// <inheritdoc/>
    protected override void Run()
    {
        if (!References.Any(reference => reference.GetMetadata("Filename") == RuntimeAssembly))
        {
            Diagnostics.ItemError(
                Codes.RuntimeMissing,
                "the generated class needs Compress.Runtime, which this project does not reference: it comes with the package Compress.Tasks "
                + "to projects that target net10.0 or later, unless its compile assets are excluded; or add <PackageReference Include=\"Compress.Runtime\" />");
            return;
        }

        ResolvedModel[] models = [.. Models.Select(ResolvedModel.FromItem)];
        foreach (ResolvedModel model in models)
        {
            Generate(model);
        }

        Classes = [.. models.Where(model => File.Exists(model.ClassFile)).Select(model => new TaskItem(ItemText.Escape(model.ClassFile)))];
        Written = [.. models.SelectMany(model => new[] { model.ClassFile, FingerprintFile(model) }).Select(file => new TaskItem(ItemText.Escape(file)))];
    }

    private static string FingerprintFile(ResolvedModel model) => model.ClassFile + ".fingerprint";

    private void Generate(ResolvedModel model)
    {
        string settings = $"loader {Staleness.BuildId}\t{model.Source}\t{model.FullName}\t{model.IsPublic}\t{model.Storage == ModelStorage.File}";
        if (Fingerprint.Matches(FingerprintFile(model), settings))
        {
            return;
        }

        DateTime start = DateTime.UtcNow;
        if (Header(model) is not { } header)
        {
            return;
        }

        string text = LoaderEmitter.Emit(new LoaderRequest(
            header,
            model.Namespace,
            model.ClassName,
            model.IsPublic,
            model.Storage == ModelStorage.File ? null : model.DeployedName,
            model.DeployedName,
            typeof(LoaderEmitter).Assembly.GetName().Version.ToString()));
        try
        {
            bool changed = !File.Exists(model.ClassFile) || File.ReadAllText(model.ClassFile) != text;
            if (changed && FailIfNotIncremental)
            {
                Diagnostics.Error(Codes.NotUpToDate, model.Source, $"the class {model.FullName} is not up to date");
                return;
            }

            TextFile.WriteIfDifferent(model.ClassFile, text);
            if (!header.Files.Any(file => Fingerprint.IsTooFresh(file, start)))
            {
                Fingerprint.Write(FingerprintFile(model), settings, Fingerprint.Take([model.Source, .. header.Files, model.ClassFile]));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Diagnostics.Error(Codes.OutputNotWritable, model.ClassFile, "the generated class cannot be written: " + exception.Message);
        }
    }

    private ModelHeader? Header(ResolvedModel model)
    {
        try
        {
            if (ModelFormats.Find(model.Source) is { } format)
            {
                return format.ReadHeader(model.Source);
            }

            Diagnostics.Error(
                Codes.ModelUnknownFormat,
                model.Source,
                $"'{Path.GetFileName(model.Source)}' is of no known model format; known are {string.Join("; ", ModelFormats.All.Select(f => f.Looks))}");
        }
        catch (ModelFormatException exception)
        {
            Diagnostics.Error(Codes.ModelMalformed, exception.File, exception.Message);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Diagnostics.Error(Codes.ModelNotReadable, model.Source, exception.Message);
        }

        return null;
    }
}
