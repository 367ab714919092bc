namespace Compress.Runtime.Kernels;

/// <summary>
/// All loops over weights and activations, for one vector width. <see cref="Hadamard(Span{float})"/>, <see cref="FlipSigns"/> and
/// <see cref="DecodeRows"/> give the same bits in every kernel; products differ within the rounding of their sums.
/// </summary>
internal abstract class Kernel
{
    /// <summary>The environment variable that forces a kernel by its name.</summary>
    public const string Variable = "COMPRESS_KERNEL";

    /// <summary>Lines of floats that kernels read in whole vectors have a multiple of so many, filled up with zeros.</summary>
    public const int LineUnit = 16;

    /// <summary>Products that <see cref="MultiplyTiles"/> adds in one go: with 256-bit vectors their part of a tile takes 24 KiB and stays in the first-level cache.</summary>
    protected internal const int DepthChunk = 256;

    /// <summary>All kernels, the best first. Those that the hardware does not have work too, slowly.</summary>
    public static IReadOnlyList<Kernel> All { get; } =
    [
        new VectorKernel<Simd512, System.Runtime.Intrinsics.Vector512<float>, System.Runtime.Intrinsics.Vector512<byte>>(),
        new VectorKernel<Simd256, System.Runtime.Intrinsics.Vector256<float>, System.Runtime.Intrinsics.Vector256<byte>>(),
        new VectorKernel<Simd128, System.Runtime.Intrinsics.Vector128<float>, System.Runtime.Intrinsics.Vector128<byte>>(),
        new ScalarKernel(),
    ];

    /// <summary>The first that the hardware has, or the one that <see cref="Variable"/> names.</summary>
    public static Kernel Best { get; } = Choose(Environment.GetEnvironmentVariable(Variable));

    /// <summary>
    /// The one for products that are the same bits on every CPU: its <see cref="MultiplyTiles"/> rounds once for a multiplication and its addition. Where
    /// the hardware cannot do that, the C library does it, slowly, one by one.
    /// </summary>
    public static Kernel Fused { get; } = System.Runtime.Intrinsics.X86.Fma.IsSupported || System.Runtime.Intrinsics.Arm.AdvSimd.IsSupported ? Best : All[^1];

    /// <summary>The vector type's name, or Scalar.</summary>
    public abstract string Name { get; }

    /// <summary>True if the hardware has vectors of this width.</summary>
    public abstract bool IsAccelerated { get; }

    /// <summary>The kernel of that name, or the best one if the name is null, empty or not known.</summary>
    public static Kernel Choose(string? name) =>
        All.FirstOrDefault(kernel => string.Equals(kernel.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? All.First(kernel => kernel.IsAccelerated);

    /// <summary>Length of a line with <paramref name="columns"/> floats in it.</summary>
    public static int LineLength(int columns) => checked(columns + LineUnit - 1) / LineUnit * LineUnit;

    /// <summary>
    /// The orthonormal Walsh–Hadamard transform, in place: butterflies (a + b, a − b) at distances 1, 2, 4, …, then one multiplication
    /// by the float nearest 1/√length. That order of operations is part of the packed format.
    /// </summary>
    /// <param name="block">Its length is a power of two.</param>
    public abstract void Hadamard(Span<float> block);

    /// <summary>
    /// The same butterflies, then one multiplication of each element by its factor: 1/√length times a sign gives the bits of
    /// <see cref="Hadamard(Span{float})"/> with that sign.
    /// </summary>
    /// <param name="block">Its length is a power of two.</param>
    /// <param name="factors">As many.</param>
    public abstract void Hadamard(Span<float> block, ReadOnlySpan<float> factors);

    /// <summary>Multiplies a row by its random signs; see <see cref="Numerics.Signs"/>.</summary>
    public abstract void FlipSigns(Span<float> row, ulong seed);

    /// <summary>Unpacks rows into lines of <paramref name="stride"/> floats; what lies between a row's end and the next line stays.</summary>
    public abstract void DecodeRows(CodeMatrix matrix, int firstRow, int rowCount, Span<float> weights, int stride);

    /// <summary>From this many vectors on, unpacking rows once pays; see bench/results.</summary>
    public abstract int PanelBatch(CodeMatrix matrix);

    /// <summary>Floats that <see cref="Arrange"/> writes.</summary>
    public abstract int ArrangedLength(CodeMatrix matrix);

    /// <summary>Brings a vector into the form in which <see cref="MultiplyRows"/> reads it.</summary>
    public abstract void Arrange(CodeMatrix matrix, ReadOnlySpan<float> x, Span<float> arranged);

    /// <summary>The products of <c>y.Length</c> rows with an arranged vector, straight from the codes.</summary>
    public abstract void MultiplyRows(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> arranged, Span<float> y);

    /// <summary><c>y[b · yStride + r] = Σ weights[r, k] · x[b, k]</c> for unpacked rows in the cache.</summary>
    /// <param name="weights">[rows, stride].</param>
    /// <param name="rows">Rows of the panel.</param>
    /// <param name="x">[batch, stride].</param>
    /// <param name="batch">Vectors.</param>
    /// <param name="stride">Floats of a line: a multiple of <see cref="LineUnit"/>.</param>
    /// <param name="y">Starts at the panel's first row of the first result.</param>
    /// <param name="yStride">From one vector's results to the next one's.</param>
    public abstract void MultiplyPanel(
        ReadOnlySpan<float> weights, int rows, ReadOnlySpan<float> x, int batch, int stride, Span<float> y, int yStride);

    /// <summary>From this many vectors on, <see cref="MultiplyTiles"/> is faster than <see cref="MultiplyPanel"/>; see bench/results.</summary>
    public virtual int TileBatch => 16;

    /// <summary>Columns of a tile.</summary>
    public abstract int TileWidth { get; }

    /// <summary>
    /// <c>Σ a[r, k] · b[k, j]</c> for matrices of any size. The order of additions depends on the depth alone: <see cref="DepthChunk"/> products are added
    /// one after the other, then the sums of such chunks.
    /// </summary>
    /// <param name="a">[rows, aStride].</param>
    /// <param name="aStride">From one row to the next, at least b's depth.</param>
    /// <param name="rows">Rows of a.</param>
    /// <param name="b">[depth, width], in tiles.</param>
    /// <param name="c">[rows, cStride], or transposed [width, cStride].</param>
    /// <param name="cStride">From one row of c to the next.</param>
    /// <param name="result">What becomes of the product.</param>
    public abstract void MultiplyTiles(
        ReadOnlySpan<float> a, int aStride, int rows, in TiledMatrix b, Span<float> c, int cStride, TileResult result);
}
