using System;
using System.Collections.Generic;
using System.IO;
using Compress.Core.Models.Formats;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Compress.Tasks;

/// <summary>Where the packed bytes of a model go.</summary>
public enum ModelStorage
{
    /// <summary>Embedded up to a limit, past it a file.</summary>
    Auto,

    /// <summary>An embedded resource of the assembly.</summary>
    Embed,

    /// <summary>A file beside the app.</summary>
    File,
}

/// <summary>One <c>CompressedModel</c> item after its metadata was checked and its paths were made absolute.</summary>
/// <param name="Source">The absolute path of the model: a file or a folder.</param>
/// <param name="Recipe">The absolute path of its recipe, or empty for the built-in defaults.</param>
/// <param name="Namespace">The namespace of the generated class; empty for none.</param>
/// <param name="ClassName">The name of the generated class.</param>
/// <param name="IsPublic">Whether the class is public.</param>
/// <param name="Storage">Where the packed bytes go.</param>
/// <param name="ClassFile">The absolute path of the generated class.</param>
/// <param name="PackedFile">The absolute path of the packed model.</param>
public sealed record ResolvedModel(
    string Source, string Recipe, string Namespace, string ClassName, bool IsPublic, ModelStorage Storage, string ClassFile, string PackedFile)
    : ModelJob(Source, Recipe, PackedFile)
{
    private const string PackedSuffix = ".packed.safetensors";

    /// <summary>The values of <see cref="ModelStorage"/> as metadata, in their order.</summary>
    internal static readonly string[] StorageNames = ["Auto", "Embed", "File"];

    /// <summary>The full name of the generated class: unique in a project.</summary>
    public string FullName => Namespace.Length == 0 ? ClassName : Namespace + "." + ClassName;

    /// <summary>The name of the embedded resource, and of the file beside the app.</summary>
    public string DeployedName => FullName + PackedSuffix;

    /// <summary>The engine's report on the model.</summary>
    public static string ReportFile(string packedFile) => Sibling(packedFile, ".report.json");

    /// <summary>The engine's list of the files that it read.</summary>
    public static string RecordFile(string packedFile) => Sibling(packedFile, ".inputs.json");

    /// <summary>What the packed file was made from.</summary>
    public static string FingerprintFile(string packedFile) => Sibling(packedFile, ".fingerprint");

    /// <summary>The packed file's name in the intermediate folder, for a model's file or folder.</summary>
    public static string PackedName(string source) => Stem(source) + PackedSuffix;

    /// <summary>A model's name without the endings of its format: <c>stories</c> for <c>stories.safetensors</c>.</summary>
    public static string Stem(string source) =>
        ModelFormats.Stem(Path.GetFileName(source.TrimEnd(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar)));

    /// <summary>As an item for the targets.</summary>
    public ITaskItem ToItem() => new TaskItem(ItemText.Escape(Source), new Dictionary<string, string>
    {
        [nameof(Recipe)] = ItemText.Escape(Recipe),
        [nameof(Namespace)] = Namespace,
        [nameof(ClassName)] = ClassName,
        ["Access"] = IsPublic ? "Public" : "Internal",
        [nameof(Storage)] = StorageNames[(int)Storage],
        [nameof(ClassFile)] = ItemText.Escape(ClassFile),
        [nameof(PackedFile)] = ItemText.Escape(PackedFile),
        [nameof(ReportFile)] = ItemText.Escape(ReportFile(PackedFile)),
        [nameof(DeployedName)] = DeployedName,
    });

    /// <summary>Back from an item that <see cref="ToItem"/> made.</summary>
    public static ResolvedModel FromItem(ITaskItem item) => new(
        item.ItemSpec,
        item.GetMetadata(nameof(Recipe)),
        item.GetMetadata(nameof(Namespace)),
        item.GetMetadata(nameof(ClassName)),
        item.GetMetadata("Access") == "Public",
        (ModelStorage)Array.IndexOf(StorageNames, item.GetMetadata(nameof(Storage))),
        item.GetMetadata(nameof(ClassFile)),
        item.GetMetadata(nameof(PackedFile)));

    private static string Sibling(string packedFile, string suffix) =>
        packedFile.Substring(0, packedFile.Length - PackedSuffix.Length) + suffix;
}
