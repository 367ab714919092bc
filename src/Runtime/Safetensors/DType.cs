using System;
using System.Text;

namespace Compress.Runtime.Safetensors;

/// <summary>Element types of the safetensors format.</summary>
public enum DType
{
    /// <summary>IEEE binary64.</summary>
    F64,
    /// <summary>IEEE binary32.</summary>
    F32,
    /// <summary>IEEE binary16.</summary>
    F16,
    /// <summary>The upper half of a binary32.</summary>
    BF16,
    /// <summary>8-bit float, 4 exponent and 3 mantissa bits, no infinity.</summary>
    F8E4M3,
    /// <summary>8-bit float, 5 exponent and 2 mantissa bits.</summary>
    F8E5M2,
    /// <summary>Signed 64-bit integer.</summary>
    I64,
    /// <summary>Signed 32-bit integer.</summary>
    I32,
    /// <summary>Signed 16-bit integer.</summary>
    I16,
    /// <summary>Signed 8-bit integer.</summary>
    I8,
    /// <summary>Unsigned 64-bit integer.</summary>
    U64,
    /// <summary>Unsigned 32-bit integer.</summary>
    U32,
    /// <summary>Unsigned 16-bit integer.</summary>
    U16,
    /// <summary>Unsigned 8-bit integer.</summary>
    U8,
    /// <summary>One byte, 0 or 1.</summary>
    Bool,
}

/// <summary>Names and sizes of <see cref="DType"/>.</summary>
public static class DTypes
{
    // In the order of the enum.
    private static readonly string[] Names =
        ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"];

    // To find names in a header's bytes.
    private static readonly byte[][] AsciiNames = Array.ConvertAll(Names, Encoding.ASCII.GetBytes);

    private static readonly int[] Sizes = [8, 4, 2, 2, 1, 1, 8, 4, 2, 1, 8, 4, 2, 1, 1];

    /// <summary>All names, as the safetensors format spells them.</summary>
    public static string AllNames => string.Join(", ", Names);

    /// <summary>The name that the safetensors format uses, such as <c>F8_E4M3</c>.</summary>
    public static string Name(this DType type) => Names[(int)type];

    /// <summary>Bytes of one element.</summary>
    public static int SizeInBytes(this DType type) => Sizes[(int)type];

    /// <summary>True for the floating-point types: those that a codec may compress.</summary>
    public static bool IsFloat(this DType type) => type <= DType.F8E5M2;

    /// <summary>Finds a type by its safetensors name (case matters, as in the format).</summary>
    public static bool TryParse(string? name, out DType type)
    {
        int index = Array.IndexOf(Names, name);
        type = (DType)Math.Max(index, 0);
        return index >= 0;
    }

    /// <summary>The type of that name, in ASCII, or null.</summary>
    internal static DType? Find(ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < AsciiNames.Length; i++)
        {
            if (name.SequenceEqual(AsciiNames[i]))
            {
                return (DType)i;
            }
        }

        return null;
    }
}
