using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Compress.Core.Codecs.Higgs;

/// <summary>
/// The nearest of n points of dimension p. Points come in blocks of eight, and those of a block lie together, because grids are stored so
/// (<see cref="PointOrder"/>). Space around the origin is cut into cells; the first vector that falls into a cell makes the list of the blocks with
/// points that can be nearest to something in it, so that a matrix pays for the cells it visits. Vectors outside are compared with all points, and so are all
/// for p = 8, where a cell small enough to rule out anything would be one of millions, and for grids so small that a list saves nothing.
/// </summary>
internal sealed class SpaceSearch : GridSearch
{
    /// <summary>Points of a block: what one step compares.</summary>
    public const int Block = 8;

    private const float Range = 4;

    // Absorbs the rounding of float distances, which are below 2^9 here.
    private const double Slack = 1e-3;

    // Farther than anything else, and its square is still finite.
    private const float Nowhere = 1e15f;

    private readonly int p;
    private readonly float[] points; // [n, p], as stored
    private readonly float[] blocks; // [blocks, p, 8]
    private readonly float[] least;  // [blocks, p]: the corners of the box around a block's points
    private readonly float[] most;
    private readonly ushort[] all;
    private readonly int side;       // cells along an axis; 0 if there are none
    private readonly ushort[]?[] cells = [];

    /// <param name="points">[n, p].</param>
    /// <param name="p">The dimension, at most <see cref="GridSearch.Step"/>.</param>
    public SpaceSearch(float[] points, int p)
    {
        (this.points, this.p) = (points, p);
        int n = points.Length / p, count = (n + Block - 1) / Block;
        (blocks, least, most) = (new float[count * p * Block], new float[count * p], new float[count * p]);
        all = [.. Enumerable.Range(0, count).Select(block => (ushort)block)];
        Array.Fill(blocks, Nowhere);
        for (int axis = 0; axis < count * p; axis++)
        {
            int first = axis / p * Block, last = Math.Min(first + Block, n);
            (least[axis], most[axis]) = (float.PositiveInfinity, float.NegativeInfinity);
            for (int i = first; i < last; i++)
            {
                float value = points[(i * p) + (axis % p)];
                blocks[(axis * Block) + i - first] = value;
                (least[axis], most[axis]) = (Math.Min(least[axis], value), Math.Max(most[axis], value));
            }
        }

        side = count < 8 ? 0 : p switch { 2 => 128, 3 => 32, 4 => 16, _ => 0 };
        if (side > 0)
        {
            int number = side;
            for (int axis = 1; axis < p; axis++)
            {
                number *= side;
            }

            cells = new ushort[]?[number];
        }
    }

    public override void Nearest(ReadOnlySpan<float> values, float factor, Span<ushort> codes, Span<float> points)
    {
        Span<float> vector = stackalloc float[p];
        for (int i = 0; i < values.Length / p; i++)
        {
            for (int axis = 0; axis < p; axis++)
            {
                vector[axis] = values[(i * p) + axis] * factor;
            }

            int index = Nearest(vector);
            codes[i] = (ushort)index;
            this.points.AsSpan(index * p, p).CopyTo(points[(i * p)..]);
        }
    }

    /// <summary>The index of the point nearest to one vector.</summary>
    public int Nearest(ReadOnlySpan<float> vector)
    {
        var candidates = Candidates(vector);
        var best = Vector256.Create(float.PositiveInfinity);
        var found = Vector256<int>.Zero;
        ref float from = ref MemoryMarshal.GetArrayDataReference(blocks);
        foreach (ushort block in candidates)
        {
            ref float at = ref Unsafe.Add(ref from, block * p * Block);
            var distance = Vector256<float>.Zero;
            for (int axis = 0; axis < vector.Length; axis++)
            {
                var difference = Vector256.Create(vector[axis]) - Vector256.LoadUnsafe(ref at, (nuint)(axis * Block));
                distance += difference * difference;
            }

            // Blocks ascend, so that an element keeps the first of equally near points.
            var nearer = Vector256.LessThan(distance, best);
            best = Vector256.ConditionalSelect(nearer, distance, best);
            found = Vector256.ConditionalSelect(nearer.AsInt32(), Vector256.Create((int)block), found);
        }

        int index = int.MaxValue;
        float nearest = float.PositiveInfinity;
        for (int lane = 0; lane < Block; lane++)
        {
            int candidate = (found[lane] * Block) + lane;
            if (best[lane] < nearest || (best[lane] == nearest && candidate < index))
            {
                (index, nearest) = (candidate, best[lane]);
            }
        }

        return index * p < points.Length ? index : 0; // a vector that is not finite is near to nothing
    }

    /// <summary>[n, p], as stored.</summary>
    public ReadOnlySpan<float> Points => points;

    /// <summary>How many points <see cref="Nearest(ReadOnlySpan{float})"/> compares with a vector.</summary>
    public int Touched(ReadOnlySpan<float> vector) => Math.Min(Candidates(vector).Length * Block, points.Length / p);

    private ushort[] Candidates(ReadOnlySpan<float> vector)
    {
        if (side == 0)
        {
            return all;
        }

        int cell = 0;
        foreach (float value in vector)
        {
            float place = (value + Range) * (side / (2 * Range));
            if (!(place >= 0 && place < side))
            {
                return all;
            }

            cell = (cell * side) + (int)place;
        }

        // Several threads may make the same list.
        return Volatile.Read(ref cells[cell]) ?? Fill(cell);
    }

    private ushort[] Fill(int cell)
    {
        Span<double> low = stackalloc double[p], high = stackalloc double[p];
        for (int axis = p - 1, rest = cell; axis >= 0; axis--, rest /= side)
        {
            low[axis] = (rest % side * (2 * Range / side)) - Range;
            high[axis] = low[axis] + (2 * Range / side);
        }

        // No vector of the cell is farther from its nearest point than the farthest corner is from the point that it is least far from. In blocks whose
        // boxes are all farther there is none such.
        double reach = double.PositiveInfinity;
        foreach (ushort block in all)
        {
            if (Farthest(low, high, block) >= reach)
            {
                continue;
            }

            for (int point = block * Block * p; point < Math.Min((block + 1) * Block * p, points.Length); point += p)
            {
                double farthest = 0;
                for (int axis = 0; axis < p; axis++)
                {
                    double value = points[point + axis], distance = Math.Max(high[axis] - value, value - low[axis]);
                    farthest += distance * distance;
                }

                reach = Math.Min(reach, farthest);
            }
        }

        var candidates = new List<ushort>();
        foreach (ushort block in all)
        {
            double nearest = 0;
            for (int axis = 0; axis < p; axis++)
            {
                double gap = Math.Max(Math.Max(low[axis] - most[(block * p) + axis], least[(block * p) + axis] - high[axis]), 0);
                nearest += gap * gap;
            }

            if (nearest <= reach + Slack)
            {
                candidates.Add(block);
            }
        }

        ushort[] list = [.. candidates];
        Volatile.Write(ref cells[cell], list);
        return list;
    }

    // The least distance, squared, from the farthest corner of a cell to anything in a block's box.
    private double Farthest(ReadOnlySpan<double> low, ReadOnlySpan<double> high, int block)
    {
        double sum = 0;
        for (int axis = 0; axis < p; axis++)
        {
            double value = Math.Clamp((low[axis] + high[axis]) / 2, least[(block * p) + axis], most[(block * p) + axis]);
            double distance = Math.Max(high[axis] - value, value - low[axis]);
            sum += distance * distance;
        }

        return sum;
    }
}
