using System.Buffers;

namespace Compress.Runtime.Numerics;

/// <summary>A batch of vectors, rotated: kept between the products of several matrices with the same batch.</summary>
internal ref struct RotatedInput : IDisposable
{
    private Rotation rotation;
    private float[]? rented;

    /// <summary>The batch, rotated anew only if the last one was rotated otherwise.</summary>
    /// <param name="x">[batch, columns]; the same in all calls.</param>
    /// <param name="columns">The width of a vector.</param>
    /// <param name="wanted">The rotation.</param>
    public ReadOnlySpan<float> Get(ReadOnlySpan<float> x, int columns, in Rotation wanted)
    {
        if (rented is null || rotation != wanted)
        {
            rented ??= ArrayPool<float>.Shared.Rent(x.Length);
            rotation = wanted;
            x.CopyTo(rented);
            for (int start = 0; start < x.Length; start += columns)
            {
                wanted.Apply(rented.AsSpan(start, columns));
            }
        }

        return rented.AsSpan(0, x.Length);
    }

    public void Dispose()
    {
        if (rented is not null)
        {
            ArrayPool<float>.Shared.Return(rented);
            rented = null;
        }
    }
}
