using System.Buffers;
using System.Runtime.InteropServices;

namespace Compress.Runtime.Kernels;

/// <summary>
/// Rented floats, given back at the end of a <c>using</c>; not cleared. They are pinned and begin on a cache line, so that no vector that is loaded
/// from a line of whole cache lines lies on two.
/// </summary>
internal readonly unsafe ref struct Scratch
{
    private const int CacheLine = 64;

    private readonly float[] rented;
    private readonly PinnedGCHandle<float[]> pin;

    public Scratch(int length)
    {
        rented = ArrayPool<float>.Shared.Rent(checked(length + (CacheLine / sizeof(float))));
        pin = new(rented);
        Pointer = (float*)(((nuint)pin.GetAddressOfArrayData() + CacheLine - 1) / CacheLine * CacheLine);
        Span = new(Pointer, length);
    }

    /// <summary>For a matrix <c>[rows, columns]</c>.</summary>
    public Scratch(int rows, int columns)
        : this(checked(rows * columns))
    {
    }

    public float* Pointer { get; }

    public Span<float> Span { get; }

    public void Dispose()
    {
        pin.Dispose();
        ArrayPool<float>.Shared.Return(rented);
    }
}
