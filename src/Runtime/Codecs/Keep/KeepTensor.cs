using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Keep;

/// <summary>
/// A tensor whose elements are stored one by one, under its own name: in the type that it had in the source model, or in
/// another float type.
/// </summary>
internal sealed class KeepTensor : PackedTensor
{
    // Elements converted at a time, on the stack: 8 KB of floats stay in the first-level cache beside as much of the input.
    private const int BlockElements = 2048;

    private readonly DType stored;
    private readonly ByteView elements;

    public KeepTensor(PackedParts parts)
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
        CountBits(parts);
    }

    public override string Codec => "keep";

    public override bool TryGetSpan<T>(out ReadOnlySpan<T> span)
    {
        bool fits = (typeof(T) == typeof(byte) || typeof(T) == ElementType(stored)) && elements.Length / Unsafe.SizeOf<T>() <= int.MaxValue;
        span = fits ? elements.All<T>() : default;
        return fits;
    }

    private protected override void DequantizeRow(int row, Span<float> destination) => Read((long)row * Columns, destination);

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        for (int row = 0; row < Rows; row++)
        {
            for (int n = 0; n < batch; n++)
            {
                y[(n * Rows) + row] = 0;
            }
        }

        Span<float> block = stackalloc float[BlockElements];
        for (int row = 0; row < Rows; row++)
        {
            for (int column = 0; column < Columns; column += BlockElements)
            {
                var weights = block[..Math.Min(BlockElements, Columns - column)];
                Read(((long)row * Columns) + column, weights);
                for (int n = 0; n < batch; n++)
                {
                    y[(n * Rows) + row] += Dot(weights, x.Slice((n * Columns) + column, weights.Length));
                }
            }
        }
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = Vector256<float>.Zero;
        int i = 0;
        for (; i <= a.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            sum += Vector256.Create(a[i..]) * Vector256.Create(b[i..]);
        }

        float total = Vector256.Sum(sum);
        for (; i < a.Length; i++)
        {
            total += a[i] * b[i];
        }

        return total;
    }

    private static Type? ElementType(DType type) => type switch
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

    private void Read(long firstElement, Span<float> destination) => Elements.Read(stored, elements, firstElement, destination);
}
