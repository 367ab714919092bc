using System;
using System.Collections.Generic;
using System.Linq;

namespace Compress.Tasks.Loader;

/// <summary>Writes the choice of an expression by the place where the tree is.</summary>
internal static class PlaceSwitch
{
    /// <summary>Writes the body of a member that returns the expression of <c>_prefix</c>; the most frequent one is the default.</summary>
    public static void Write(CodeWriter code, IReadOnlyList<NameTree> places, Func<NameTree, string> expression)
    {
        var groups = places.GroupBy(expression, StringComparer.Ordinal).OrderByDescending(group => group.Count()).ToArray();
        if (groups.Length == 1)
        {
            code.Line($"return {groups[0].Key};");
            return;
        }

        code.Block("switch (_prefix)", () =>
        {
            foreach (var group in groups.Skip(1))
            {
                foreach (var place in group)
                {
                    code.Line($"case {CSharpText.Literal(place.Name)}:");
                }

                code.Line($"    return {group.Key};");
            }

            code.Line("default:");
            code.Line($"    return {groups[0].Key};");
        });
    }
}
