using System;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.PyTorch.Pickle;

/// <summary>
/// What calls in a pickle give: tensors as references to their storages. The arguments are those of the functions of torch._utils of the same names.
/// </summary>
internal static class Rebuild
{
    /// <summary>The result of calling a global.</summary>
    /// <returns>Null if the arguments are not what they should be.</returns>
    public static object? Call(PickleGlobal global, object?[] arguments) => global.Kind switch
    {
        GlobalKind.Dictionary when arguments.Length == 0 => new PickleDictionary(),
        GlobalKind.Dictionary when arguments is { Length: 1 } && arguments[0] is PickleList pairs => FromPairs(pairs),
        GlobalKind.List when arguments.Length == 0 => new PickleList(),
        GlobalKind.List when arguments is { Length: 1 } && arguments[0] is PickleList list => list,
        GlobalKind.Size or GlobalKind.Tuple when arguments is { Length: 1 } && arguments[0] is PickleTuple tuple => tuple,
        GlobalKind.Device => PickleOther.Instance,
        GlobalKind.RebuildTensor when arguments.Length >= 4 && arguments[0] is StorageReference { DType: { } type } storage => Tensor(storage, type, arguments),
        GlobalKind.RebuildTypedTensor when arguments.Length >= 7 && arguments[0] is StorageReference storage
            && arguments[6] is PickleGlobal { Kind: GlobalKind.ElementType, DType: { } type } => Tensor(storage, type, arguments),
        GlobalKind.RebuildParameter when arguments.Length >= 1 && arguments[0] is TensorReference tensor => tensor,
        _ => null,
    };

    /// <summary>The storage that a persistent id names: <c>('storage', type, key, location, count[, view])</c>.</summary>
    /// <returns>Null if it is none.</returns>
    public static StorageReference? Storage(object? id)
    {
        if (id is not PickleTuple { Items: { Length: 5 or 6 } items }
            || items[0] is not "storage"
            || items[1] is not PickleGlobal { Kind: GlobalKind.Storage, DType: var type }
            || items[2] is not string key
            || items[4] is not (long and >= 0))
        {
            return null;
        }

        // Before PyTorch 0.4 a storage could be a part of another one: (its key, first element, elements).
        return items.Length == 6 && items[5] is not null
            ? items[5] is PickleTuple { Items: { Length: 3 } view } && view[1] is long first and >= 0 && view[2] is long count and >= 0
                ? new(key, type, count, first)
                : null
            : new(key, type, (long)items[4]!, 0);
    }

    private static TensorReference? Tensor(StorageReference storage, DType type, object?[] arguments) =>
        arguments[1] is long offset and >= 0 && Numbers(arguments[2]) is { } shape && Numbers(arguments[3]) is { } strides && shape.Length == strides.Length
            ? new(storage, type, offset, shape, strides)
            : null;

    private static long[]? Numbers(object? value)
    {
        if (value is not PickleTuple { Items: var items } || items.Length > EntryBounds.MaxDimensions)
        {
            return null;
        }

        long[] numbers = new long[items.Length];
        for (int i = 0; i < items.Length; i++)
        {
            if (items[i] is not long number || number < 0)
            {
                return null;
            }

            numbers[i] = number;
        }

        return numbers;
    }

    private static PickleDictionary? FromPairs(PickleList pairs)
    {
        var dictionary = new PickleDictionary();
        foreach (object? pair in pairs.Items)
        {
            object?[]? items = (pair as PickleTuple)?.Items ?? (pair as PickleList)?.Items.ToArray();
            if (items is not { Length: 2 })
            {
                return null;
            }

            dictionary.Items.Add(new(items[0], items[1]));
        }

        return dictionary;
    }
}
