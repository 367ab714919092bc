using Compress.Runtime.Kernels;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Keep;

/// <summary>
/// Products of a matrix that is stored element by element with one or many vectors. Floats are read in place where the kernel can; other
/// elements are converted, a panel that stays in the cache at a time.
/// </summary>
internal readonly record struct KeepProduct(DType Type, ByteView Bytes, int Rows, int Columns) : IRowPanels
{
    /// <inheritdoc/>
    public bool InPlace => Type == DType.F32;

    /// <summary><c>y[b, r] = Σ w[r, k] · x[b, k]</c>.</summary>
    /// <param name="kernel">What computes it.</param>
    /// <param name="x">[batch, columns].</param>
    /// <param name="y">[batch, rows].</param>
    /// <param name="batch">Vectors.</param>
    public void Multiply(Kernel kernel, ReadOnlySpan<float> x, Span<float> y, int batch) => BatchProduct.Multiply(kernel, this, x, y, batch);

    /// <inheritdoc/>
    public ReadOnlySpan<float> Read(int firstRow, int rowCount, Span<float> buffer, int stride)
    {
        if (buffer.IsEmpty)
        {
            return Bytes.Slice<float>((long)firstRow * Columns, rowCount * Columns);
        }

        for (int r = 0; r < rowCount; r++)
        {
            Elements.Read(Type, Bytes, (long)(firstRow + r) * Columns, buffer.Slice(r * stride, Columns));
        }

        return buffer;
    }
}
