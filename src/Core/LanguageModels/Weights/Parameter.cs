using Compress.Core.Models;
using Compress.Runtime;

namespace Compress.Core.LanguageModels.Weights;

/// <summary>
/// One tensor of a language model. Its values come from the source model, or from a packed tensor that took its place; layers hold the
/// parameter and do not notice the change. Matrices are read in place, rows at a time; vectors are dequantized once.
/// </summary>
internal sealed class Parameter(SourceTensor source)
{
    private PackedTensor? packed;
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
    public void Use(PackedTensor? tensor)
    {
        packed = tensor;
        vector = null;
    }

    /// <summary>Reads rows as floats.</summary>
    public void ReadRows(int firstRow, int rowCount, Span<float> destination)
    {
        if (packed is { } tensor)
        {
            tensor.DequantizeRows(firstRow, rowCount, destination);
        }
        else
        {
            source.ReadRows(firstRow, rowCount, destination);
        }
    }

    /// <summary>True if <see cref="GetRows"/> needs no buffer.</summary>
    public bool InPlace => packed is null && source.IsFloats;

    /// <summary>Rows as floats: in place if they are that in memory, else read into the buffer.</summary>
    public ReadOnlySpan<float> GetRows(int firstRow, int rowCount, Span<float> buffer)
    {
        if (InPlace)
        {
            return source.Floats(firstRow, rowCount);
        }

        ReadRows(firstRow, rowCount, buffer);
        return buffer;
    }

    /// <summary><c>y[b, r] = Σ w[r, k] · x[b, k]</c>: from the packed weights, if there are any.</summary>
    /// <param name="x">[batch, columns].</param>
    /// <param name="y">[batch, rows].</param>
    /// <param name="batch">Vectors.</param>
    public void Multiply(ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        if (packed is { } tensor)
        {
            tensor.Multiply(x, y, batch);
        }
        else
        {
            source.Multiply(x, y, batch);
        }
    }
}
