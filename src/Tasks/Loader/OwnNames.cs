using System;

namespace Compress.Tasks.Loader;

/// <summary>The names that generated classes use whatever the model is, and what is left to name the loader.</summary>
public static class OwnNames
{
    /// <summary>Members of the loader.</summary>
    public static readonly string[] OfLoader = ["Load", "Dispose", "Packed", "Names"];

    /// <summary>Members that any class of the tree may have, the loader included, beside its children.</summary>
    public static readonly string[] OfNode = ["Tensor", "Count", "Numbers", "Item"];

    /// <summary>Members that every class inherits.</summary>
    public static readonly string[] Inherited =
        ["Equals", "Finalize", "GetHashCode", "GetType", "MemberwiseClone", "ReferenceEquals", "ToString"];

    /// <summary>True if the text is an identifier and no member of the loader would have the same name, which C# forbids.</summary>
    public static bool CanNameLoader(string text) =>
        CSharpText.IsIdentifier(text) && Array.IndexOf(OfLoader, text) < 0 && Array.IndexOf(OfNode, text) < 0;

    /// <summary>A loader's name from any text: <c>Stories260K</c> for <c>stories260K</c>, <c>NamesModel</c> for <c>names</c>.</summary>
    public static string LoaderName(string text)
    {
        string name = CSharpText.Identifier(text);
        return CanNameLoader(name) ? name : name + "Model";
    }
}
