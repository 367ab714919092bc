using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Compress.Runtime.Kernels;

namespace Compress.Runtime.Tests.Kernels;

public unsafe class TiledProducts
{
    /// <summary>Rows, depth, width: below, at and above the sizes of blocks (4 rows), tiles (12, 24 or 48 columns) and chunks (256 deep, 64 rows).</summary>
    private static readonly (int Rows, int Depth, int Width)[] Sizes =
        [(1, 1, 1), (3, 7, 11), (4, 256, 24), (5, 257, 25), (7, 0, 9), (64, 3, 48), (66, 515, 61), (64, 515, 48), (0, 4, 4), (4, 4, 0), (2, 30, 100)];

    public static TheoryData<string> KernelNames => [.. Kernel.All.Select(kernel => kernel.Name)];

    [Theory, MemberData(nameof(KernelNames))]
    public void AgreeWithSumsInDouble(string name)
    {
        var kernel = Kernel.Choose(name);
        foreach (var (rows, depth, width) in Sizes)
        {
            float[] a = Values(rows * (depth + 3), 1), b = Values(depth * (width + 2), 2);
            foreach (var result in Enum.GetValues<TileResult>())
            {
                bool transposed = result == TileResult.StoreTransposed;
                int cStride = (transposed ? rows : width) + 5;
                float[] c = Values((transposed ? width : rows) * cStride, 3), before = [.. c];
                Multiply(kernel, a, depth + 3, rows, b, width + 2, depth, width, c, cStride, result);
                for (int i = 0; i < c.Length; i++)
                {
                    var (line, place) = (i / cStride, i % cStride);
                    var (r, j) = transposed ? (place, line) : (line, place);
                    if (r >= rows || j >= width)
                    {
                        Assert.Equal(before[i], c[i]); // what lies between lines stays
                        continue;
                    }

                    double sum = result == TileResult.Add ? before[i] : 0;
                    for (int k = 0; k < depth; k++)
                    {
                        sum += (double)a[(r * (depth + 3)) + k] * b[(k * (width + 2)) + j];
                    }

                    Assert.True(Math.Abs(sum - c[i]) <= 1e-5, $"{name} {result} {rows} × {depth} × {width} at {r}, {j}: {c[i]}, expected {sum}");
                }
            }
        }
    }

    // The order as its documentation states it, one operation after another.
    [Theory, MemberData(nameof(KernelNames))]
    public void AreTheDocumentedSumsToTheLastBitWhereMultiplicationsAreFused(string name)
    {
        if (!Fma.IsSupported && !AdvSimd.IsSupported && name != "Scalar")
        {
            return;
        }

        foreach (var (rows, depth, width) in Sizes)
        {
            float[] a = Values(rows * depth, 1), b = Values(depth * width, 2), c = new float[rows * width], before = Values(rows * width, 3), added = [.. before];
            Multiply(Kernel.Choose(name), a, depth, rows, b, width, depth, width, c, width, TileResult.Store);
            Multiply(Kernel.Choose(name), a, depth, rows, b, width, depth, width, added, width, TileResult.Add);
            for (int i = 0; i < c.Length; i++)
            {
                float expected = 0;
                for (int start = 0; start < depth; start += 256)
                {
                    float chunk = 0;
                    for (int k = start; k < Math.Min(start + 256, depth); k++)
                    {
                        chunk = MathF.FusedMultiplyAdd(a[(i / width * depth) + k], b[(k * width) + (i % width)], chunk);
                    }

                    expected += chunk;
                }

                Assert.Equal(expected, c[i]);
                Assert.Equal(before[i] + expected, added[i]);
            }
        }
    }

    [Theory, MemberData(nameof(KernelNames))]
    public void OfTransposedMatricesAreTheSame(string name)
    {
        var kernel = Kernel.Choose(name);
        foreach (var (rows, depth, width) in Sizes)
        {
            float[] b = Values(depth * width, 2), transposed = new float[b.Length];
            for (int i = 0; i < b.Length; i++)
            {
                transposed[(i % width * depth) + (i / width)] = b[i];
            }

            int floats = Tiling.Floats(kernel, depth, width);
            using Scratch direct = new(floats), other = new(floats);
            fixed (float* from = b, fromTransposed = transposed)
            {
                Tiling.Copy(kernel, from, width, depth, width, direct.Pointer);
                Tiling.Transpose(kernel, fromTransposed, depth, depth, width, other.Pointer);
            }

            // Filled up with zeros, even where the scratch held something else.
            int there = width == 0 ? 0 : floats;
            Assert.Equal(direct.Span[..there].ToArray(), other.Span[..there].ToArray());
        }
    }

    [Fact]
    public void ScratchBeginsOnACacheLine()
    {
        foreach (int length in (int[])[0, 1, 100, 5000])
        {
            using var scratch = new Scratch(length);
            Assert.Equal(0u, (nuint)scratch.Pointer % 64);
            Assert.Equal(length, scratch.Span.Length);
        }
    }

    private static void Multiply(
        Kernel kernel, float[] a, int aStride, int rows, float[] b, int bStride, int depth, int width, float[] c, int cStride, TileResult result)
    {
        using var tiles = new Scratch(Tiling.Floats(kernel, depth, width));
        fixed (float* from = b)
        {
            Tiling.Copy(kernel, from, bStride, depth, width, tiles.Pointer);
        }

        var tiled = new TiledMatrix { Values = tiles.Span, Depth = depth, Width = width, TileStride = depth * kernel.TileWidth };
        kernel.MultiplyTiles(a, aStride, rows, tiled, c, cStride, result);
    }

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
    }
}
