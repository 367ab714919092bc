using System.Security.Cryptography;
using Compress.Core.Models.Formats;
using Compress.Runtime;
using Compress.Runtime.Codecs.Keep;
using Compress.Runtime.Kernels;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models;

/// <summary>One tensor of a <see cref="ModelFile"/>, read in place. Its elements need not be floats.</summary>
public sealed class SourceTensor : WeightMatrix
{
    // What is looked at in one go: enough to make calls cheap, little enough for the second-level cache.
    private const int ChunkBytes = 1 << 18;

    private readonly ModelTensor header;
    private readonly ByteView bytes;
    private readonly StoredElements? stored; // if the elements do not simply follow each other
    private readonly Action throwIfChanged;
    private byte[]? contentHash;

    internal SourceTensor(ModelTensor header, ByteView bytes, Action throwIfChanged)
    {
        this.header = header;
        this.bytes = bytes;
        this.throwIfChanged = throwIfChanged;
        stored = header.Layout is { } layout ? new(DType, layout, bytes) : null;
        Count = header.ByteLength / DType.SizeInBytes();
        Rows = Shape.Count <= 1 ? 1 : (int)Shape[0];
        Columns = Rows == 0 ? 0 : (int)(Count / Rows);
    }

    /// <summary>The tensor's name.</summary>
    public string Name => header.Name;

    /// <summary>The element type.</summary>
    public DType DType => header.DType;

    /// <summary>The dimensions, outermost first.</summary>
    public IReadOnlyList<long> Shape => header.Shape;

    /// <summary>The absolute path of the file that holds it.</summary>
    public string File => header.File;

    /// <summary>The number of elements.</summary>
    public long Count { get; }

    /// <summary>Bytes of all elements, one after the other.</summary>
    public long ByteLength => header.ByteLength;

    /// <inheritdoc/>
    public override int Rows { get; }

    /// <inheritdoc/>
    public override int Columns { get; }

    /// <inheritdoc/>
    public override void ReadRows(int firstRow, int rowCount, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)firstRow, (uint)Rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)rowCount, (uint)(Rows - firstRow));
        int count = checked(rowCount * Columns);
        ReadElements((long)firstRow * Columns, destination[..count]);
    }

    /// <summary>Converts elements to floats, from one that need not begin a row.</summary>
    internal void ReadElements(long first, Span<float> destination)
    {
        if (stored is null)
        {
            Elements.Read(DType, bytes, first, destination);
        }
        else
        {
            stored.Read(first, destination);
        }
    }

    /// <summary>True if the elements are 32-bit floats that can be used in place.</summary>
    internal bool IsFloats => DType == DType.F32 && stored is null;

    /// <summary>Rows of a tensor of 32-bit floats, in place. Valid until the model is disposed.</summary>
    internal ReadOnlySpan<float> Floats(int firstRow, int rowCount) => bytes.Slice<float>((long)firstRow * Columns, checked(rowCount * Columns));

    /// <summary><c>Y = X Wᵀ</c> in float32, rows converted a few at a time. As <see cref="PackedTensor.Multiply(ReadOnlySpan{float}, Span{float}, int)"/>.</summary>
    /// <param name="x">[batch, columns].</param>
    /// <param name="y">[batch, rows].</param>
    /// <param name="batch">Vectors.</param>
    internal void Multiply(ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        if (stored is null)
        {
            BatchProduct.MultiplyTiles(Kernel.Fused, new KeepProduct(DType, bytes, Rows, Columns), x, y, batch);
        }
        else
        {
            BatchProduct.MultiplyTiles(Kernel.Fused, new ReadPanels(this), x, y, batch);
        }
    }

    /// <summary>
    /// Bytes of the elements, as they are in the file but one after the other: in place where they are so there, which is valid until the model is disposed.
    /// </summary>
    /// <param name="offset">Bytes from the tensor's first; the start of an element.</param>
    /// <param name="count">How many; whole elements.</param>
    public ReadOnlySpan<byte> Bytes(long offset, int count)
    {
        if (stored is null)
        {
            return bytes.Slice(offset, count);
        }

        byte[] copy = new byte[count];
        stored.Copy(offset / DType.SizeInBytes(), copy);
        return copy;
    }

    /// <summary>Writes the bytes of all elements, one after the other.</summary>
    public void CopyBytes(Stream destination)
    {
        for (long offset = 0; offset < ByteLength; offset += ChunkBytes)
        {
            destination.Write(Chunk(offset));
        }
    }

    /// <summary>
    /// SHA-256 over the bytes of all elements, one after the other, as they are in the file when it is first asked for: the same for the same tensor in any kind of file.
    /// </summary>
    public byte[] ContentHash() => contentHash ??= ComputeHash();

    private byte[] ComputeHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long offset = 0; offset < ByteLength; offset += ChunkBytes)
        {
            hash.AppendData(Chunk(offset));
        }

        return hash.GetHashAndReset();
    }

    /// <summary>The first NaN or infinity, if there is one.</summary>
    public OddValue? FirstNonFinite()
    {
        for (long offset = 0; offset < ByteLength; offset += ChunkBytes)
        {
            int index = NonFinite.IndexIn(DType, Chunk(offset));
            if (index >= 0)
            {
                return At((offset / DType.SizeInBytes()) + index);
            }
        }

        return null;
    }

    /// <summary>
    /// The first finite value that is beyond the range of a float, so that <see cref="ReadRows"/> gives infinity for it, if there is one.
    /// Only F64 has such values.
    /// </summary>
    public OddValue? FirstBeyondFloat()
    {
        for (long offset = 0; DType == DType.F64 && offset < ByteLength; offset += ChunkBytes)
        {
            int index = NonFinite.BeyondFloat(Chunk(offset));
            if (index >= 0)
            {
                return At((offset / sizeof(double)) + index);
            }
        }

        return null;
    }

    /// <summary>Checks that the tensor's file has not changed since the model was opened; see <see cref="ModelFile.ThrowIfChanged"/>.</summary>
    /// <exception cref="Diagnostics.CompressException">It has.</exception>
    public void ThrowIfChanged() => throwIfChanged();

    /// <summary>
    /// Gives back the memory that the tensor's pages take in this process, until they are read again. Worth calling when a large tensor is
    /// done with: mapped pages count as the process's memory, and a model may be larger than the machine's.
    /// </summary>
    public void ReleasePages() => ResidentPages.Release(bytes);

    private ReadOnlySpan<byte> Chunk(long offset) => Bytes(offset, (int)Math.Min(ChunkBytes, ByteLength - offset));

    private OddValue At(long index)
    {
        if (DType == DType.F64)
        {
            return new(index, BitConverter.ToDouble(Bytes(index * sizeof(double), sizeof(double))));
        }

        Span<float> value = stackalloc float[1];
        ReadElements(index, value);
        return new(index, value[0]);
    }

    // Rows that must be read: their elements do not follow each other in the file.
    private readonly record struct ReadPanels(SourceTensor Tensor) : IRowPanels
    {
        public int Rows => Tensor.Rows;

        public int Columns => Tensor.Columns;

        public bool InPlace => false;

        public ReadOnlySpan<float> Read(int firstRow, int rowCount, Span<float> buffer, int stride)
        {
            for (int r = 0; r < rowCount; r++)
            {
                Tensor.ReadElements((long)(firstRow + r) * Columns, buffer.Slice(r * stride, Columns));
            }

            return buffer;
        }
    }
}

/// <summary>A value that most codecs cannot encode, and where it stands.</summary>
/// <param name="Index">0-based, row-major.</param>
/// <param name="Value">The value.</param>
public readonly record struct OddValue(long Index, double Value);
