using Compress.Core.Models;
using Compress.Core.Numerics;
using Compress.Runtime;
using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;

namespace Compress.Core.LanguageModels.Weights;

/// <summary>
/// One tensor of a language model. Its values come from the source model, or from a packed tensor that took its place; layers hold the
/// parameter and do not notice the change. Matrices are read in place, rows at a time; vectors are dequantized once.
/// </summary>
internal sealed class Parameter(SourceTensor source)
{
    private PackedTensor? packed;
    private float[] added = []; // to products with other values: what the packed tensor before them adds
    private bool dequantized;
    private float[]? values;
    private float[]? vector;

    /// <summary>The name in the source model.</summary>
    public string Name => source.Name;

    /// <summary>The dimensions, outermost first.</summary>
    public IReadOnlyList<long> Shape => source.Shape;

    /// <summary>The first dimension; 1 for vectors.</summary>
    public int Rows => source.Rows;

    /// <summary>The product of all dimensions but the first.</summary>
    public int Columns => source.Columns;

    /// <summary>All values of a vector.</summary>
    public ReadOnlySpan<float> Vector
    {
        get
        {
            if (vector is null)
            {
                float[] values = new float[Columns];
                ReadRows(0, 1, values);
                vector = values;
            }

            return vector;
        }
    }

    /// <summary>Takes the values from a packed tensor of the same shape, or again from the source if it is null.</summary>
    public void Use(PackedTensor? tensor) => (packed, dequantized, values, vector, added) = (tensor, false, null, null, []);

    /// <summary>Takes the values that a packed tensor of the same shape stands for. Products with them are the same bits on every CPU.</summary>
    public void UseDequantized(PackedTensor tensor) => (packed, dequantized, values, vector) = (tensor, true, null, null);

    /// <summary>Takes other values, row-major. Products with them are the same bits on every CPU, as those with the source's are.</summary>
    public void UseValues(float[] own)
    {
        added = packed?.OutputBias.ToArray() ?? added;
        (packed, values, vector) = (null, own, null);
    }

    /// <summary>Reads rows as floats.</summary>
    public void ReadRows(int firstRow, int rowCount, Span<float> destination)
    {
        if (values is not null)
        {
            values.AsSpan(checked(firstRow * Columns), checked(rowCount * Columns)).CopyTo(destination);
        }
        else if (packed is { } tensor)
        {
            tensor.DequantizeRows(firstRow, rowCount, destination);
        }
        else
        {
            source.ReadRows(firstRow, rowCount, destination);
        }
    }

    /// <summary>True if <see cref="GetRows"/> needs no buffer.</summary>
    public bool InPlace => values is not null || (packed is null && source.IsFloats);

    /// <summary>Rows as floats: in place if they are that in memory, else read into the buffer.</summary>
    public ReadOnlySpan<float> GetRows(int firstRow, int rowCount, Span<float> buffer)
    {
        if (InPlace)
        {
            return values is null ? source.Floats(firstRow, rowCount) : values.AsSpan(checked(firstRow * Columns), checked(rowCount * Columns));
        }

        ReadRows(firstRow, rowCount, buffer);
        return buffer;
    }

    /// <summary>The product for vectors that no other matrix is multiplied with.</summary>
    /// <param name="x">[batch, columns].</param>
    /// <param name="y">[batch, rows].</param>
    /// <param name="batch">Vectors.</param>
    public void Multiply(ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        RotatedInput own = default;
        Multiply(x, y, batch, ref own);
        own.Dispose();
    }

    /// <summary><c>y[b, r] = Σ w[r, k] · x[b, k]</c>: from the packed weights, if there are any, and with what these add to products.</summary>
    /// <param name="x">[batch, columns].</param>
    /// <param name="y">[batch, rows].</param>
    /// <param name="batch">Vectors.</param>
    /// <param name="rotated">Shared by all products with these vectors, so that they are rotated once.</param>
    public void Multiply(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated)
    {
        if (values is not null)
        {
            BatchProduct.MultiplyTiles(Kernel.Fused, new FloatRows(values, Columns), x, y, batch);
            PackedTensor.AddBias(added, y);
        }
        else if (packed is { } exact && dequantized)
        {
            BatchProduct.MultiplyTiles(Kernel.Fused, new PackedRows(exact, Rows, Columns), x, y, batch);
            exact.AddOutputBias(y);
        }
        else if (packed is { } tensor)
        {
            tensor.Multiply(x, y, batch, ref rotated);
        }
        else
        {
            source.Multiply(x, y, batch);
        }
    }
}

/// <summary>A packed matrix, dequantized as it is used.</summary>
file readonly record struct PackedRows(PackedTensor Tensor, int Rows, int Columns) : IRowPanels
{
    public bool InPlace => false;

    public ReadOnlySpan<float> Read(int firstRow, int rowCount, Span<float> buffer, int stride)
    {
        for (int r = 0; r < rowCount; r++)
        {
            Tensor.DequantizeRows(firstRow + r, 1, buffer.Slice(r * stride, Columns));
        }

        return buffer;
    }
}
