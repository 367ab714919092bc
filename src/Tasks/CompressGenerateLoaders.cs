using System;
using System.IO;
using System.Linq;
using Compress.Core.Diagnostics;
using Compress.Core.Models.Formats;
using Compress.Core.Recipes.Locating;
using Compress.Tasks.Loader;
using Microsoft.Build.Framework;

namespace Compress.Tasks;

/// <summary>
/// Writes the typed loaders, in real and in design-time builds alike: they depend on the models' headers, the items and a recipe's choice of a
/// checkpoint's dictionary, never on packed bytes. Nothing is read while the times of the files are what they were.
/// </summary>
[MSBuildMultiThreadableTask]
public sealed class CompressGenerateLoaders : CompressTask, IIncrementalTask
{
    private const string RuntimeAssembly = "Compress.Runtime";

    /// <summary>The names of the assemblies that the compiler will reference.</summary>
    public string[] References { get; set; } = [];

    /// <inheritdoc/>
    public bool FailIfNotIncremental { get; set; }

    /// <inheritdoc/>
    protected override void Run()
    {
        if (!References.Contains(RuntimeAssembly))
        {
            Diagnostics.ItemError(
                Codes.RuntimeMissing,
                "the generated class needs Compress.Runtime, which this project does not reference: it comes with the package Compress.Tasks "
                + "to projects that target net10.0 or later, unless its compile assets are excluded; or add <PackageReference Include=\"Compress.Runtime\" />");
            return;
        }

        foreach (ITaskItem item in Models)
        {
            Generate(ResolvedModel.FromItem(item));
        }
    }

    private void Generate(ResolvedModel model)
    {
        if (!LoaderFile.IsStale(model))
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
            string[] inputs = [.. Staleness.Inputs(model, header.Files)];
            if (!inputs.Any(file => Fingerprint.IsTooFresh(file, start)))
            {
                Fingerprint.Write(LoaderFile.FingerprintFile(model), LoaderFile.Settings(model), Fingerprint.Take(inputs.Append(model.ClassFile)));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Diagnostics.Error(Codes.OutputNotWritable, model.ClassFile, "the generated class cannot be written: " + exception.Message);
        }
    }

    private ModelHeader? Header(ResolvedModel model)
    {
        var stateDict = NamedStateDict.In(model.Recipe);
        try
        {
            if (ModelFormats.Find(model.Source) is { } format)
            {
                return ModelFormats.ReadHeader(format, model.Source, stateDict?.Name);
            }

            Diagnostics.Error(
                Codes.ModelUnknownFormat,
                model.Source,
                $"'{Path.GetFileName(model.Source)}' is of no known model format; known are {string.Join("; ", ModelFormats.All.Select(f => f.Looks))}");
        }
        catch (StateDictException exception)
        {
            Diagnostics.Write(new DiagnosticLine(
                stateDict?.File ?? exception.File, stateDict?.Line ?? 1, stateDict?.Column ?? 1, DiagnosticLine.Error, Codes.ModelStateDict, exception.Message));
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
