using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes.Locating;
using Compress.Tasks.Loader;
using Microsoft.Build.Framework;

namespace Compress.Tasks;

/// <summary>Checks <c>CompressedModel</c> items and finds what they name. Reads no file.</summary>
/// <param name="projectDirectory">Absolute; what relative paths are relative to.</param>
/// <param name="intermediateDirectory">Absolute; for packed models, shared by all frameworks and configurations of the project.</param>
/// <param name="classDirectory">Absolute; for generated classes, of one framework and configuration.</param>
/// <param name="rootNamespace">The default namespace, not necessarily a legal one.</param>
/// <param name="diagnostics">Takes what is wrong.</param>
internal sealed class ItemResolver(
    string projectDirectory, string intermediateDirectory, string classDirectory, string rootNamespace, TaskDiagnostics diagnostics)
{
    private static readonly string[] AccessNames = ["Internal", "Public"];

    private readonly string defaultNamespace = Legalize(rootNamespace);

    /// <summary>The models of all items that are well-formed.</summary>
    public IReadOnlyList<ResolvedModel> Resolve(IEnumerable<ITaskItem> items)
    {
        var models = new List<ResolvedModel>();
        // Two classes whose names differ in case only would share a file on some systems.
        var byClass = new Dictionary<string, ResolvedModel>(StringComparer.OrdinalIgnoreCase);
        foreach (ITaskItem item in items)
        {
            if (TryResolve(item) is not { } model)
            {
                continue;
            }

            if (byClass.TryGetValue(model.FullName, out var other))
            {
                diagnostics.ItemError(
                    Codes.ItemDuplicateClass,
                    $"'{item.ItemSpec}' and '{Relative(other.Source)}' would both become class '{model.FullName}'; "
                    + "set ClassName or Namespace of one of them");
                continue;
            }

            byClass.Add(model.FullName, model);
            models.Add(model);
        }

        return models;
    }

    private ResolvedModel? TryResolve(ITaskItem item)
    {
        try
        {
            return Resolve(item);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException or PathTooLongException)
        {
            diagnostics.ItemError(Codes.ItemBadMetadata, $"'{item.ItemSpec}' or its Recipe is no path: {exception.Message}");
            return null;
        }
    }

    private ResolvedModel? Resolve(ITaskItem item)
    {
        string source = Absolute(item.ItemSpec);
        if (!File.Exists(source) && !Directory.Exists(source))
        {
            diagnostics.ItemError(
                Codes.ItemModelMissing,
                $"the model '{item.ItemSpec}' does not exist; looked for '{source}'");
            return null;
        }

        string? recipe = Recipe(item, source);
        string? className = ClassName(item, source);
        string? ns = Namespace(item);
        int access = Choice(item, "Access", AccessNames);
        int storage = Choice(item, "Storage", ResolvedModel.StorageNames);
        if (recipe is null || className is null || ns is null || access < 0 || storage < 0)
        {
            return null;
        }

        string fullName = ns.Length == 0 ? className : ns + "." + className;
        string packed = Path.Combine(intermediateDirectory, PackedFolder(source, item), ResolvedModel.PackedName(source));
        return new ResolvedModel(
            source,
            recipe,
            ns,
            className,
            access == 1,
            (ModelStorage)storage,
            Path.Combine(classDirectory, fullName + ".g.cs"),
            packed);
    }

    private string? Recipe(ITaskItem item, string source)
    {
        string named = item.GetMetadata("Recipe");
        var location = RecipeLocator.Find(source, named.Length > 0 ? Absolute(named) : null);
        if (location.Origin == RecipeOrigin.Missing)
        {
            diagnostics.ItemError(
                Codes.ItemRecipeMissing,
                $"'{item.ItemSpec}' names the recipe '{named}', which does not exist; looked for '{location.Path}'");
            return null;
        }

        return location.Path ?? "";
    }

    private string? ClassName(ITaskItem item, string source)
    {
        string named = item.GetMetadata("ClassName");
        if (named.Length == 0)
        {
            return OwnNames.LoaderName(ResolvedModel.Stem(source));
        }

        return OwnNames.CanNameLoader(named)
            ? named
            : Bad(item, "ClassName", named, "a C# identifier that is no member of the class, as Load, Names or Count are");
    }

    private string? Namespace(ITaskItem item)
    {
        string named = item.GetMetadata("Namespace");
        if (named.Length == 0)
        {
            return defaultNamespace;
        }

        return Array.TrueForAll(named.Split('.'), CSharpText.IsIdentifier) ? named : Bad(item, "Namespace", named, "C# identifiers with dots between them");
    }

    // The position of the item's metadata among its possible values, the first of which is the default; -1 if it is none of them.
    private int Choice(ITaskItem item, string name, string[] choices)
    {
        string value = item.GetMetadata(name);
        for (int i = 0; i < choices.Length; i++)
        {
            if (value.Length == 0 || value.Equals(choices[i], StringComparison.OrdinalIgnoreCase))
            {
                return i;
            }
        }

        Bad(item, name, value, string.Join(" or ", choices));
        return -1;
    }

    private string? Bad(ITaskItem item, string name, string found, string expected)
    {
        diagnostics.ItemError(Codes.ItemBadMetadata, $"'{item.ItemSpec}' has {name}=\"{found}\"; expected {expected}");
        return null;
    }

    // The root namespace is the project's name unless the user sets it, and that may hold anything.
    private static string Legalize(string rootNamespace)
    {
        var legal = new StringBuilder();
        foreach (string part in rootNamespace.Split(['.'], StringSplitOptions.RemoveEmptyEntries))
        {
            legal.Append(legal.Length > 0 ? "." : "").Append(part[0] is >= '0' and <= '9' ? "_" : "");
            foreach (char c in part)
            {
                legal.Append(char.IsLetter(c) || c is >= '0' and <= '9' ? c : '_');
            }
        }

        return legal.ToString();
    }

    // Short, because paths are limited; of relative paths, because a build's log shall not depend on where it runs.
    private string PackedFolder(string source, ITaskItem item) =>
        ShortHash.Of(Relative(source) + "\n" + item.GetMetadata("Recipe"));

    private string Absolute(string path) =>
        Path.GetFullPath(Path.Combine(projectDirectory, Path.DirectorySeparatorChar == '/' ? path.Replace('\\', '/') : path));

    private string Relative(string path) =>
        path.StartsWith(projectDirectory, StringComparison.Ordinal)
            ? path.Substring(projectDirectory.Length).TrimStart('/', '\\').Replace('\\', '/')
            : path;
}
