using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Compress.Core.Models.Formats;

namespace Compress.Tasks.Loader;

/// <summary>The tensors of one model as a tree of the segments between the dots of their names.</summary>
internal sealed class NameTree
{
    // Past it the rest of a name is one segment: trees of real models are a dozen deep, hostile ones a million.
    private const int MaxDepth = 32;

    private static readonly SortedDictionary<string, NameTree> NoneNamed = [];
    private static readonly SortedDictionary<int, NameTree> NoneNumbered = [];

    private SortedDictionary<string, NameTree>? named;
    private SortedDictionary<int, NameTree>? numbered;

    private NameTree(string name, IReadOnlyList<int> numbers)
    {
        Name = name;
        Numbers = numbers;
    }

    /// <summary>The segments up to here, joined again: a tensor's name or the start of several.</summary>
    public string Name { get; }

    /// <summary>The numbers among the segments up to here.</summary>
    public IReadOnlyList<int> Numbers { get; }

    /// <summary>The tensor of exactly this name, if there is one.</summary>
    public ModelTensor? Tensor { get; private set; }

    /// <summary>Children whose segment is not a number.</summary>
    public IReadOnlyDictionary<string, NameTree> Named => named ?? NoneNamed;

    /// <summary>Children whose segment is a number.</summary>
    public IReadOnlyDictionary<int, NameTree> Numbered => numbered ?? NoneNumbered;

    /// <summary>True if longer names start with this one.</summary>
    public bool HasChildren => named is not null || numbered is not null;

    public static NameTree Of(ModelHeader header)
    {
        var root = new NameTree("", []);
        foreach (var tensor in header.Tensors)
        {
            string[] segments = tensor.Name.Split(['.'], MaxDepth);
            var node = root;
            for (int depth = 0; depth < segments.Length; depth++)
            {
                node = node.Child(segments[depth], depth == 0 ? segments[0] : node.Name + "." + segments[depth]);
            }

            node.Tensor = tensor;
        }

        return root;
    }

    private NameTree Child(string segment, string name)
    {
        if (TryNumber(segment, out int number))
        {
            numbered ??= [];
            if (!numbered.TryGetValue(number, out var child))
            {
                numbered.Add(number, child = new(name, [.. Numbers, number]));
            }

            return child;
        }
        else
        {
            named ??= new(StringComparer.Ordinal);
            if (!named.TryGetValue(segment, out var child))
            {
                named.Add(segment, child = new(name, Numbers));
            }

            return child;
        }
    }

    // Only what an int prints as: 007 and ٣ are names.
    private static bool TryNumber(string segment, out int number) =>
        int.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out number)
        && number.ToString(CultureInfo.InvariantCulture) == segment;
}
