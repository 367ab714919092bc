using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime;

/// <summary>
/// A tensor in its packed form. A tensor of shape <c>[d0, d1, …]</c> is treated as the matrix <c>[d0, d1·d2·…]</c>
/// (<see cref="Rows"/> by <see cref="Columns"/>), a vector as one row. Nothing is unpacked until asked for.
/// All members may be called from several threads at once; <see cref="PackedModel.Dispose"/> must wait until none is running.
/// </summary>
public abstract class PackedTensor
{
    private readonly long[] shape;

    private protected PackedTensor(PackedParts parts)
    {
        Name = parts.Name;
        DType = parts.DType;
        shape = [.. parts.Shape];
        long count = 1;
        foreach (long dimension in shape)
        {
            if (dimension < 0 || (dimension > 0 && count > long.MaxValue / dimension))
            {
                throw parts.Bad($"dimension {dimension} in its shape");
            }

            count *= dimension;
        }

        Count = count;
        long rows = shape.Length <= 1 ? 1 : shape[0];
        long columns = rows == 0 ? 0 : count / rows;
        if (rows > int.MaxValue || columns > int.MaxValue)
        {
            throw parts.Bad($"a matrix of {rows} × {columns}; a side has at most {int.MaxValue}");
        }

        Rows = (int)rows;
        Columns = (int)columns;
    }

    /// <summary>The tensor's name in the source model, such as <c>model.layers.0.mlp.up_proj.weight</c>.</summary>
    public string Name { get; }

    /// <summary>The element type that the tensor had in the source model.</summary>
    public DType DType { get; }

    /// <summary>The dimensions, outermost first; empty for a scalar. Linear layers are <c>[out, in]</c>.</summary>
    public ReadOnlySpan<long> Shape => shape;

    /// <summary>The number of elements.</summary>
    public long Count { get; }

    /// <summary>Rows of the matrix view: the first dimension, or 1 for vectors and scalars.</summary>
    public int Rows { get; }

    /// <summary>Columns of the matrix view: the product of all dimensions but the first.</summary>
    public int Columns { get; }

    /// <summary>The codec's name as in <c>compress.yaml</c>: <c>higgs</c>, <c>uniform</c>, <c>keep</c>, …</summary>
    public abstract string Codec { get; }

    /// <summary>Bytes that this tensor alone takes in the file: codes, scales, padding; without tables that it shares.</summary>
    public long StoredBytes { get; private protected set; }

    /// <summary>
    /// Bytes that its arrays take in memory, mapped from the file or not: <see cref="StoredBytes"/>, and more where the file has codes in fewer bits, which were unpacked when the
    /// tensor was opened.
    /// </summary>
    public long MemoryBytes { get; private protected set; }

    /// <summary>
    /// All stored bits over the number of weights: codes, scales, padding, and the tensor's part of the tables that it
    /// shares with others (each table is charged to its users by their numbers of weights).
    /// </summary>
    public double BitsPerWeight { get; private protected set; }

    /// <summary>
    /// What products add to each result, <c>[Rows]</c>, such as cvxq's correction for what quantization does to mean outputs. Empty for most tensors. The
    /// unpacked matrix is without it: whoever multiplies with that must add it.
    /// </summary>
    public virtual ReadOnlySpan<float> OutputBias => default;

    /// <summary>
    /// Unpacks the whole tensor, row-major. Bit-exact: the same floats on every machine.
    /// </summary>
    /// <param name="destination">At least <see cref="Count"/> floats.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public void Dequantize(Span<float> destination) => DequantizeRows(0, Rows, destination);

    /// <summary>
    /// Unpacks <paramref name="rowCount"/> rows from <paramref name="firstRow"/> (0-based), row-major.
    /// Bit-exact: the same floats on every machine.
    /// </summary>
    /// <param name="firstRow">The first row, 0-based.</param>
    /// <param name="rowCount">How many rows.</param>
    /// <param name="destination">At least <c>rowCount · Columns</c> floats.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rows are not all in the matrix.</exception>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public void DequantizeRows(int firstRow, int rowCount, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)firstRow, (uint)Rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)rowCount, (uint)(Rows - firstRow));
        long needed = (long)rowCount * Columns;
        if (destination.Length < needed)
        {
            throw new ArgumentException($"{destination.Length} floats for {rowCount} rows of {Columns}", nameof(destination));
        }

        if (needed > 0)
        {
            DequantizeCore(firstRow, rowCount, destination[..(int)needed]);
        }
    }

    /// <summary>
    /// The elements as stored, in place: of kept tensors, such as norm weights and integer tables. Valid until the model is disposed.
    /// </summary>
    /// <typeparam name="T">
    /// The .NET type of the stored element (<see cref="float"/> for F32, <see cref="Half"/> for F16, <see cref="long"/> for I64;
    /// <see cref="ushort"/> holds the bits of BF16, <see cref="byte"/> those of the 8-bit floats and of BOOL), or <see cref="byte"/> for
    /// the bytes of any type.
    /// </typeparam>
    /// <param name="span">All elements, row-major, little-endian. They need not be aligned in memory.</param>
    /// <returns>
    /// False if the elements are stored as another type or by another codec than <c>keep</c>, or are more than a span can hold.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public virtual bool TryGetSpan<T>(out ReadOnlySpan<T> span)
        where T : unmanaged
    {
        span = default;
        return false;
    }

    /// <summary>
    /// <c>y = W x</c>, straight from the packed weights, plus <see cref="OutputBias"/> if there is one. Agrees with the product of the dequantized matrix within
    /// a relative tolerance that the codec's page states; does not depend on the number of threads.
    /// </summary>
    /// <param name="x">The vector, <c>[Columns]</c>.</param>
    /// <param name="y">Receives the product, <c>[Rows]</c>. Must not overlap <paramref name="x"/>.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public void Multiply(ReadOnlySpan<float> x, Span<float> y) => Multiply(x, y, 1);

    /// <summary>
    /// <c>Y = X Wᵀ</c> for a batch of row vectors, straight from the packed weights, plus <see cref="OutputBias"/> if there is one. Each row's result agrees with
    /// <see cref="Multiply(ReadOnlySpan{float}, Span{float})"/> within the codec's tolerance.
    /// </summary>
    /// <param name="x">The batch, <c>[batch, Columns]</c>.</param>
    /// <param name="y">Receives the products, <c>[batch, Rows]</c>. Must not overlap <paramref name="x"/>.</param>
    /// <param name="batch">The number of vectors.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public void Multiply(ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        RotatedInput none = default;
        Multiply(x, y, batch, ref none);
        none.Dispose();
    }

    /// <summary>
    /// The products of several matrices with the same vectors, such as those for queries, keys and values. The same bits as one product after the other; but
    /// vectors are rotated once for successive <c>higgs</c> tensors of one width, group size and seed, as a recipe's are unless a rule says otherwise.
    /// </summary>
    /// <param name="tensors">The matrices, all with the same number of columns.</param>
    /// <param name="x">The batch, <c>[batch, Columns]</c>.</param>
    /// <param name="y">Receives the products, one matrix's <c>[batch, Rows]</c> after the other's. Must not overlap <paramref name="x"/>.</param>
    /// <param name="batch">The number of vectors.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public static void MultiplyAll(ReadOnlySpan<PackedTensor> tensors, ReadOnlySpan<float> x, Span<float> y, int batch = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        long rows = 0;
        foreach (var tensor in tensors)
        {
            ArgumentNullException.ThrowIfNull(tensor, nameof(tensors));
            rows += tensor.Rows;
        }

        if (y.Length != rows * batch)
        {
            throw new ArgumentException($"{y.Length} floats for {batch} results of {rows}", nameof(y));
        }

        if (x.Overlaps(y))
        {
            throw new ArgumentException("the result overlaps the input", nameof(y));
        }

        RotatedInput rotated = default;
        try
        {
            foreach (var tensor in tensors)
            {
                tensor.Multiply(x, y[..(batch * tensor.Rows)], batch, ref rotated);
                y = y[(batch * tensor.Rows)..];
            }
        }
        finally
        {
            rotated.Dispose();
        }
    }

    /// <summary>As <see cref="Multiply(ReadOnlySpan{float}, Span{float}, int)"/>, for one of several matrices.</summary>
    /// <param name="x">The batch, <c>[batch, Columns]</c>.</param>
    /// <param name="y">Receives the products, <c>[batch, Rows]</c>.</param>
    /// <param name="batch">The number of vectors.</param>
    /// <param name="rotated">Shared by all products with this batch; disposed by the caller.</param>
    internal void Multiply(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        if (x.Length != (long)batch * Columns)
        {
            throw new ArgumentException($"{x.Length} floats for {batch} vectors of {Columns}", nameof(x));
        }

        if (y.Length != (long)batch * Rows)
        {
            throw new ArgumentException($"{y.Length} floats for {batch} results of {Rows}", nameof(y));
        }

        if (x.Overlaps(y))
        {
            throw new ArgumentException("the result overlaps the input", nameof(y));
        }

        if (batch == 0 || Rows == 0)
        {
            return;
        }

        if (Columns == 0)
        {
            y.Clear();
            return;
        }

        MultiplyCore(x, y, batch, ref rotated);
    }

    /// <summary>Unpacks rows into exactly as many floats. Arguments are checked, none of the sizes is zero.</summary>
    private protected abstract void DequantizeCore(int firstRow, int rowCount, Span<float> destination);

    /// <summary>The product; arguments are checked, none of the sizes is zero.</summary>
    private protected abstract void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated);

    /// <summary>Adds <see cref="OutputBias"/> to products, <c>[batch, Rows]</c>.</summary>
    internal void AddOutputBias(Span<float> y) => AddBias(OutputBias, y);

    /// <summary>Adds a bias to products, <c>[batch, bias.Length]</c>.</summary>
    internal static void AddBias(ReadOnlySpan<float> bias, Span<float> y)
    {
        for (; !bias.IsEmpty && !y.IsEmpty; y = y[bias.Length..])
        {
            for (int row = 0; row < bias.Length; row++)
            {
                y[row] += bias[row];
            }
        }
    }

    /// <summary>Called last by a codec's constructor, when all its parts have been taken.</summary>
    private protected void CountBits(PackedParts parts)
    {
        StoredBytes = parts.OwnBytes;
        MemoryBytes = parts.OwnBytes + parts.DecodedBytes;
        BitsPerWeight = Count == 0 ? 0 : (8.0 * parts.OwnBytes / Count) + parts.SharedBits;
    }
}
