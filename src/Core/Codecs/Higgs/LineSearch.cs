using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Compress.Core.Codecs.Higgs;

/// <summary>
/// The nearest of n levels on the line. The line is cut into cells so narrow that none holds more than one boundary between levels:
/// a value's code is the first level of its cell, plus one if the value lies beyond the cell's boundary.
/// </summary>
internal sealed class LineSearch : GridSearch
{
    private const int Cells = 1024;

    private readonly float[] levels;
    private readonly float range;
    private readonly float cellsPerUnit;
    private readonly byte[] first = new byte[Cells];
    private readonly float[] boundary = new float[Cells];

    /// <param name="levels">Ascending. Halves and bfloat16s, so that the middle between two of them is an exact float.</param>
    public LineSearch(float[] levels)
    {
        this.levels = levels;
        range = levels[^1];
        cellsPerUnit = (Cells - 1) / (2 * range);
        Array.Fill(boundary, float.PositiveInfinity);
        Span<int> taken = stackalloc int[Step];
        int next = 0;
        for (int level = 0; level + 1 < levels.Length; level++)
        {
            float middle = (levels[level] + levels[level + 1]) / 2;
            CellsOf(Vector256.Create(middle)).CopyTo(taken);
            if (boundary[taken[0]] != float.PositiveInfinity)
            {
                throw new ArgumentException($"two boundaries of {levels.Length} levels lie in one of {Cells} cells", nameof(levels));
            }

            boundary[taken[0]] = middle;
            for (; next <= taken[0]; next++)
            {
                first[next] = (byte)level;
            }
        }

        first.AsSpan(next).Fill((byte)(levels.Length - 1));
    }

    public override void Nearest(ReadOnlySpan<float> values, float factor, Span<ushort> codes, Span<float> points)
    {
        Span<int> cells = stackalloc int[Step];
        Span<float> scaled = stackalloc float[Step];
        ref float table = ref MemoryMarshal.GetArrayDataReference(levels);
        for (int start = 0; start < values.Length; start += Step)
        {
            var v = Vector256.Create(values.Slice(start, Step)) * factor;
            v.CopyTo(scaled);
            CellsOf(v).CopyTo(cells);
            var code = codes.Slice(start, Step);
            var point = points.Slice(start, Step);
            for (int i = 0; i < Step; i++)
            {
                int cell = cells[i];
                int index = first[cell] + (scaled[i] > boundary[cell] ? 1 : 0);
                code[i] = (ushort)index;
                point[i] = Unsafe.Add(ref table, index);
            }
        }
    }

    // Every step is monotonic, so values below a boundary never land in a later cell than it. The native operations differ
    // between processors for NaN and overflow only.
    private Vector256<int> CellsOf(Vector256<float> values)
    {
        var clamped = Vector256.MinNative(Vector256.MaxNative(values, Vector256.Create(-range)), Vector256.Create(range));
        return Vector256.ConvertToInt32Native((clamped + Vector256.Create(range)) * cellsPerUnit);
    }
}
