using System.Collections.Generic;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.PyTorch.Pickle;

/// <summary>A dictionary of a pickle. Keys stand in the order in which they were set, as often as they were set.</summary>
internal sealed class PickleDictionary
{
    public List<KeyValuePair<object?, object?>> Items { get; } = [];
}

/// <summary>A list, or a set, of a pickle.</summary>
internal sealed class PickleList
{
    public List<object?> Items { get; } = [];
}

/// <summary>A tuple of a pickle.</summary>
internal sealed record PickleTuple(object?[] Items);

/// <summary>What a pickle asks for by name: one of those in <see cref="Globals"/>.</summary>
internal sealed record PickleGlobal(string Name, GlobalKind Kind, DType? DType = null);

/// <summary>Where the elements of a storage are found.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="DType">Its element type, or null if it is bytes whose type the tensor says.</param>
/// <param name="Count">Elements, or bytes.</param>
/// <param name="First">The element at which a view of it begins.</param>
internal sealed record StorageReference(string Key, DType? DType, long Count, long First);

/// <summary>A tensor: a view of a storage.</summary>
internal sealed record TensorReference(StorageReference Storage, DType DType, long Offset, long[] Shape, long[] Strides);

/// <summary>Something that may stand in a pickle and says nothing of tensors, such as a device.</summary>
internal sealed class PickleOther
{
    public static readonly PickleOther Instance = new();
}
