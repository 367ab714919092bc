using System;
using System.Collections.Generic;
using System.Linq;
using Compress.Core.Models.Formats.PyTorch.Pickle;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.PyTorch;

/// <summary>
/// Finds the dictionary of tensors in what a file holds. It is the whole if that holds no dictionaries, or the only dictionary inside that is such, or the one of
/// several that has a usual name, or the one that is named.
/// </summary>
internal static class StateDictionary
{
    private const int MaxDepth = 16;
    private const int MaxShown = 5;

    // As training scripts call it.
    private static readonly string[] UsualNames = ["state_dict", "model_state_dict", "model", "module", "net", "params"];

    /// <summary>The tensors by name. Names of nested dictionaries are joined with dots; what is no tensor is left out.</summary>
    /// <param name="file">For messages.</param>
    /// <param name="root">What the pickle holds.</param>
    /// <param name="name">The name of the dictionary, those around it before it with dots between; null if none is named.</param>
    /// <exception cref="StateDictException">There is none of that name, or it is not clear which.</exception>
    /// <exception cref="ModelFormatException">There is none.</exception>
    public static IReadOnlyList<KeyValuePair<string, TensorReference>> Find(string file, object? root, string? name)
    {
        var tensors = new List<KeyValuePair<string, TensorReference>>();
        if (root is TensorReference)
        {
            throw new ModelFormatException(file, "it holds one tensor without a name; save a dictionary of tensors, as state_dict() gives");
        }

        if (root is not PickleDictionary dictionary)
        {
            throw new ModelFormatException(file, "it holds no dictionary; save a dictionary of tensors, as state_dict() gives");
        }

        int steps = 0;
        Flatten(file, name is null ? Choose(file, dictionary) : Named(file, dictionary, name), "", 0, tensors, ref steps);
        return tensors;
    }

    private static PickleDictionary Choose(string file, PickleDictionary root)
    {
        if (IsStateDictionary(root))
        {
            return root;
        }

        var inside = new List<KeyValuePair<string, PickleDictionary>>();
        Collect(root, "", 0, inside, []);
        bool mixed = HasTensors(root);
        if (inside.Count == 0 || (inside.Count == 1 && !mixed))
        {
            return inside.Count == 0 ? root : inside[0].Value;
        }

        foreach (string name in UsualNames)
        {
            foreach (var pair in inside)
            {
                if (pair.Key == name)
                {
                    return pair.Value;
                }
            }
        }

        throw new StateDictException(
            file,
            $"it holds {(mixed ? "tensors and " : "")}dictionaries of tensors ({Names(inside)}), and none has a name that says which is the model's; "
            + "name it in the recipe, by a line 'source: { stateDict: NAME }'");
    }

    private static PickleDictionary Named(string file, PickleDictionary root, string name)
    {
        if (Within(root, name, 0) is { } found)
        {
            return found;
        }

        var inside = new List<KeyValuePair<string, PickleDictionary>>();
        Collect(root, "", 0, inside, []);
        throw new StateDictException(
            file,
            $"{Quote.Name(System.IO.Path.GetFileName(file))} has no dictionary {Quote.Name(name)}; "
            + (inside.Count > 0 ? $"its dictionaries of tensors are {Names(inside)}" : "it is one dictionary of tensors, with none inside that is such; leave out 'stateDict'"));
    }

    // Names may have dots themselves, so each key that the rest begins with is tried.
    private static PickleDictionary? Within(PickleDictionary dictionary, string name, int depth)
    {
        foreach (var item in dictionary.Items)
        {
            if (item is not { Key: string key, Value: PickleDictionary inner } || !name.StartsWith(key, StringComparison.Ordinal))
            {
                continue;
            }

            var found = key.Length == name.Length ? inner
                : name[key.Length] == '.' && depth < MaxDepth ? Within(inner, name.Substring(key.Length + 1), depth + 1)
                : null;
            if (found is not null)
            {
                return found;
            }
        }

        return null;
    }

    private static string Names(List<KeyValuePair<string, PickleDictionary>> found) =>
        string.Join(", ", found.Take(MaxShown).Select(pair => Quote.Name(pair.Key))) + (found.Count > MaxShown ? ", …" : "");

    private static bool IsStateDictionary(PickleDictionary dictionary) =>
        dictionary.Items.All(item => item.Key is string && item.Value is not PickleDictionary) && HasTensors(dictionary);

    private static bool HasTensors(PickleDictionary dictionary) => dictionary.Items.Any(item => item is { Key: string, Value: TensorReference });

    private static void Collect(
        PickleDictionary dictionary, string prefix, int depth, List<KeyValuePair<string, PickleDictionary>> found, HashSet<PickleDictionary> seen)
    {
        foreach (var item in dictionary.Items)
        {
            if (item is not { Key: string name, Value: PickleDictionary inner } || depth == MaxDepth || !seen.Add(inner))
            {
                continue;
            }

            if (IsStateDictionary(inner))
            {
                found.Add(new(prefix + name, inner));
            }
            else
            {
                Collect(inner, prefix + name + ".", depth + 1, found, seen);
            }
        }
    }

    // A dictionary may stand in several others, and in itself: steps and depth are bounded, not what was seen.
    private static void Flatten(
        string file, PickleDictionary dictionary, string prefix, int depth, List<KeyValuePair<string, TensorReference>> tensors, ref int steps)
    {
        if (depth > MaxDepth || prefix.Length > HeaderReader.MaxNameBytes)
        {
            throw new ModelFormatException(file, $"its dictionaries lie more than {MaxDepth} deep in each other, or their names are longer than {HeaderReader.MaxNameBytes}");
        }

        foreach (var item in dictionary.Items)
        {
            if (++steps > 4 * TensorList.MaxTensors)
            {
                throw new ModelFormatException(file, $"its dictionaries have more than {4 * TensorList.MaxTensors} entries");
            }

            if (item.Key is not string name)
            {
                continue;
            }

            if (item.Value is TensorReference tensor)
            {
                tensors.Add(new(prefix + name, tensor));
            }
            else if (item.Value is PickleDictionary inner)
            {
                Flatten(file, inner, prefix + name + ".", depth + 1, tensors, ref steps);
            }
        }
    }
}
