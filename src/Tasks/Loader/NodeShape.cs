using System;
using System.Collections.Generic;
using System.Linq;

namespace Compress.Tasks.Loader;

/// <summary>
/// What one generated class stands for: the places of the tree that code reaches by the same path when the numbers differ.
/// All of <c>layers.0</c>, <c>layers.1</c>, … are one shape, whose members are those of any of them.
/// </summary>
internal sealed class NodeShape
{
    private NodeShape(IReadOnlyList<NameTree> places, string pattern, bool isRoot = false)
    {
        Places = places;
        Pattern = pattern;
        string join = isRoot ? "" : pattern + ".";
        var named = new SortedDictionary<string, List<NameTree>>(StringComparer.Ordinal);
        foreach (var child in places.SelectMany(place => place.Named))
        {
            if (!named.TryGetValue(child.Key, out var list))
            {
                named.Add(child.Key, list = []);
            }

            list.Add(child.Value);
        }

        Members = [.. named.Select(child => new Member(child.Key, new NodeShape(child.Value, join + child.Key)))];
        NameTree[] numbered = [.. places.SelectMany(place => place.Numbered.Values)];
        Element = numbered.Length > 0 ? new NodeShape(numbered, join + "*") : null;
    }

    /// <summary>Where in the tree. More than one only below a number.</summary>
    public IReadOnlyList<NameTree> Places { get; }

    /// <summary>The name with a star for each number: a glob as recipes use them.</summary>
    public string Pattern { get; }

    /// <summary>Children with names, in ordinal order.</summary>
    public IReadOnlyList<Member> Members { get; }

    /// <summary>All children with numbers, as one shape; null if there are none.</summary>
    public NodeShape? Element { get; }

    /// <summary>True if every place is a tensor and nothing more: code gets the tensor itself.</summary>
    public bool IsTensor => Members.Count == 0 && Element is null;

    /// <summary>True below a number: the class learns its place when it is created.</summary>
    public bool IsBelowNumber => Places[0].Numbers.Count > 0;

    /// <summary>The class's name; none for a tensor.</summary>
    public string TypeName { get; set; } = "";

    /// <summary>The shape of a whole model.</summary>
    public static NodeShape Of(NameTree root) => new([root], "", isRoot: true);

    /// <summary>One named child.</summary>
    /// <param name="Segment">Its segment of the name.</param>
    /// <param name="Shape">What it is at the places that have it.</param>
    internal sealed record Member(string Segment, NodeShape Shape);
}
