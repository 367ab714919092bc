namespace Compress.Runtime.Kernels;

/// <summary>
/// A matrix <c>[Depth, Width]</c> cut into tiles of <see cref="Kernel.TileWidth"/> columns, so that a product reads it in one stream: tile t is
/// <c>[Depth, TileWidth]</c> from float t · <see cref="TileStride"/> on. Of the last tile, only the columns that there are count.
/// </summary>
internal readonly ref struct TiledMatrix
{
    /// <summary>From the first value of the first tile.</summary>
    public required ReadOnlySpan<float> Values { get; init; }

    public required int Depth { get; init; }

    public required int Width { get; init; }

    /// <summary>From one tile to the next.</summary>
    public required int TileStride { get; init; }
}

/// <summary>What becomes of a product.</summary>
internal enum TileResult
{
    /// <summary><c>c[r, j] = Σ</c></summary>
    Store,

    /// <summary><c>c[r, j] += Σ</c></summary>
    Add,

    /// <summary><c>c[j, r] = Σ</c></summary>
    StoreTransposed,
}
