using System.Collections.Generic;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.PyTorch.Pickle;

/// <summary>What a global stands for.</summary>
internal enum GlobalKind
{
    Dictionary,
    List,
    Tuple,
    Storage,
    ElementType,
    RebuildTensor,
    RebuildTypedTensor,
    RebuildParameter,
    Size,
    Device,
}

/// <summary>
/// The names that a pickle may ask for: what tensors need. None of them is looked up anywhere: each is a case of <see cref="Rebuild"/>. All other names are refused.
/// </summary>
internal static class Globals
{
    private static readonly Dictionary<string, PickleGlobal> Known = new(System.StringComparer.Ordinal);

    static Globals()
    {
        Add("collections.OrderedDict", GlobalKind.Dictionary);
        foreach (string module in new[] { "builtins", "__builtin__" })
        {
            Add(module + ".dict", GlobalKind.Dictionary);
            Add(module + ".list", GlobalKind.List);
            Add(module + ".set", GlobalKind.List);
            Add(module + ".tuple", GlobalKind.Tuple);
        }

        Add("torch._utils._rebuild_tensor", GlobalKind.RebuildTensor);
        Add("torch._utils._rebuild_tensor_v2", GlobalKind.RebuildTensor);
        Add("torch._utils._rebuild_tensor_v3", GlobalKind.RebuildTypedTensor);
        Add("torch._utils._rebuild_parameter", GlobalKind.RebuildParameter);
        Add("torch.Size", GlobalKind.Size);
        Add("torch.device", GlobalKind.Device);
        Add("torch.storage.UntypedStorage", GlobalKind.Storage);
        Add("torch.UntypedStorage", GlobalKind.Storage);

        Type("Double", DType.F64, "float64", "double");
        Type("Float", DType.F32, "float32", "float");
        Type("Half", DType.F16, "float16", "half");
        Type("BFloat16", DType.BF16, "bfloat16");
        Type("Long", DType.I64, "int64", "long");
        Type("Int", DType.I32, "int32", "int");
        Type("Short", DType.I16, "int16", "short");
        Type("Char", DType.I8, "int8");
        Type("Byte", DType.U8, "uint8");
        Type("Bool", DType.Bool, "bool");
        Type(null, DType.U16, "uint16");
        Type(null, DType.U32, "uint32");
        Type(null, DType.U64, "uint64");
        Type(null, DType.F8E4M3, "float8_e4m3fn");
        Type(null, DType.F8E5M2, "float8_e5m2");
    }

    /// <summary>The global of that name, or null.</summary>
    public static PickleGlobal? Find(string module, string name) => Known.TryGetValue(module + "." + name, out var global) ? global : null;

    private static void Add(string name, GlobalKind kind, DType? type = null) => Known.Add(name, new(name, kind, type));

    private static void Type(string? storage, DType type, params string[] names)
    {
        if (storage is not null)
        {
            Add($"torch.{storage}Storage", GlobalKind.Storage, type);
        }

        foreach (string name in names)
        {
            Add("torch." + name, GlobalKind.ElementType, type);
        }
    }
}
