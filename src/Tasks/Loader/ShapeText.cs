using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Compress.Core.Models.Formats;
using Compress.Runtime.Safetensors;

namespace Compress.Tasks.Loader;

/// <summary>What documentation says of tensors: shapes, types, and where they are.</summary>
internal static class ShapeText
{
    private const int MaxGroups = 8;

    /// <summary><c>[64, 64] F32</c>; where places differ, each kind with its places, the most frequent first.</summary>
    public static string Kinds(IEnumerable<NameTree> places)
    {
        var tensors = places.Where(place => place.Tensor is not null);
        var groups = tensors.GroupBy(place => Kind(place.Tensor!)).OrderByDescending(group => group.Count()).ToArray();
        return groups.Length == 1
            ? groups[0].Key
            : string.Join("; ", groups.Take(MaxGroups).Select(group => group.Key + Where([.. group])))
                + (groups.Length > MaxGroups ? $"; {groups.Length - MaxGroups} more kinds" : "");
    }

    /// <summary><c> at 0-3, 5</c>, or only how many where there is more than one number.</summary>
    public static string Where(IReadOnlyList<NameTree> places) => places[0].Numbers.Count == 1
        ? " at " + Ranges([.. places.Select(place => place.Numbers[0])])
        : string.Format(CultureInfo.InvariantCulture, places.Count == 1 ? " in 1 place" : " in {0} places", places.Count);

    /// <summary><c>0-3, 5</c> for 0, 1, 2, 3, 5.</summary>
    public static string Ranges(IReadOnlyList<int> numbers)
    {
        var ranges = new List<string>();
        for (int i = 0, start = 0; i < numbers.Count; i++)
        {
            if (i + 1 == numbers.Count || numbers[i + 1] != numbers[i] + 1)
            {
                string last = numbers[i].ToString(CultureInfo.InvariantCulture);
                ranges.Add(start == i ? last : numbers[start].ToString(CultureInfo.InvariantCulture) + "-" + last);
                start = i + 1;
            }
        }

        return ranges.Count <= 2 * MaxGroups
            ? string.Join(", ", ranges)
            : string.Join(", ", ranges.Take(MaxGroups)) + ", ..., " + string.Join(", ", ranges.Skip(ranges.Count - MaxGroups));
    }

    private static string Kind(ModelTensor tensor) =>
        "[" + string.Join(", ", tensor.Shape.Select(d => d.ToString(CultureInfo.InvariantCulture))) + "] " + tensor.DType.Name();
}
