using System.Runtime.CompilerServices;
using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Keep;

/// <summary>
/// A tensor whose elements are stored one by one, under its own name: in the type that it had in the source model, or in
/// another float type.
/// </summary>
internal sealed class KeepTensor : PackedTensor, IRowParts
{
    private readonly DType stored;
    private readonly ByteView elements;
    private readonly Kernel kernel;

    /// <param name="parts">What the file says and holds of it.</param>
    /// <param name="kernel">The kernel to use; by default the best one.</param>
    public KeepTensor(PackedParts parts, Kernel? kernel = null)
        : base(parts)
    {
        var (entry, view) = parts.Self();
        if (!entry.Shape.SequenceEqual(parts.Shape))
        {
            throw parts.Bad($"it is stored with the shape {Quote.Shape(entry.Shape)}, but described with {Quote.Shape(parts.Shape)}");
        }

        if (entry.DType != DType && !(entry.DType.IsFloat() && DType.IsFloat()))
        {
            throw parts.Bad($"it is stored as {entry.DType.Name()}, but described as {DType.Name()}; only float types are converted");
        }

        stored = entry.DType;
        elements = view;
        this.kernel = kernel ?? Kernel.Best;
        CountBits(parts);
    }

    public override string Codec => "keep";

    public override bool TryGetSpan<T>(out ReadOnlySpan<T> span)
    {
        bool fits = (typeof(T) == typeof(byte) || typeof(T) == ElementType(stored)) && elements.Length / Unsafe.SizeOf<T>() <= int.MaxValue;
        span = fits ? elements.All<T>() : default;
        return fits;
    }

    public void DequantizePart(int first, Span<float> destination) => Elements.Read(stored, elements, first, destination);

    private protected override void DequantizeCore(int firstRow, int rowCount, Span<float> destination) =>
        Elements.Read(stored, elements, (long)firstRow * Columns, destination);

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated) =>
        new KeepProduct(stored, elements, Rows, Columns).Multiply(kernel, x, y, batch);

    private static Type ElementType(DType type) => type switch
    {
        DType.F64 => typeof(double),
        DType.F32 => typeof(float),
        DType.F16 => typeof(Half),
        DType.BF16 => typeof(ushort),
        DType.I64 => typeof(long),
        DType.I32 => typeof(int),
        DType.I16 => typeof(short),
        DType.I8 => typeof(sbyte),
        DType.U64 => typeof(ulong),
        DType.U32 => typeof(uint),
        DType.U16 => typeof(ushort),
        _ => typeof(byte),
    };
}
