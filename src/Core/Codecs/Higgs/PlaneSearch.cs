using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Compress.Core.Codecs.Higgs;

/// <summary>
/// The nearest of n points of the plane. The square [−4, 4]² is cut into cells, each with the up to four points that can be nearest to
/// something in it. The few vectors outside, whose cells form a frame, or in cells with more candidates, are compared with all points.
/// </summary>
internal sealed class PlaneSearch : GridSearch
{
    private const int Side = 128, Framed = Side + 2, Candidates = 4;
    private const float Range = 4;

    // Absorbs the rounding of float distances, which are below 2^6 here.
    private const double Slack = 1e-4;

    // Four indices that do not ascend: look at all points.
    private const uint TooMany = 1;

    private readonly float[] x;
    private readonly float[] y;
    private readonly uint[] cells = new uint[Framed * Framed];

    /// <param name="points">x0, y0, x1, y1, ….</param>
    public PlaneSearch(float[] points)
    {
        x = [.. points.Where((_, i) => i % 2 == 0)];
        y = [.. points.Where((_, i) => i % 2 == 1)];
        Array.Fill(cells, TooMany);
        Fill(0, 0, Side, [.. Enumerable.Range(0, x.Length)]);
    }

    public override void Nearest(ReadOnlySpan<float> values, float factor, Span<ushort> codes, Span<float> points)
    {
        Span<int> place = stackalloc int[Step];
        Span<float> scaled = stackalloc float[Step];
        ref float px = ref MemoryMarshal.GetArrayDataReference(x);
        ref float py = ref MemoryMarshal.GetArrayDataReference(y);
        for (int start = 0; start < values.Length; start += Step)
        {
            var v = Vector256.Create(values.Slice(start, Step)) * factor;
            v.CopyTo(scaled);
            var cell = (v * (Side / (2 * Range))) + Vector256.Create((Side / 2) + 1f);
            cell = Vector256.MinNative(Vector256.MaxNative(cell, Vector256<float>.Zero), Vector256.Create(Side + 1f));
            Vector256.ConvertToInt32Native(cell).CopyTo(place);
            for (int i = 0; i < Step; i += 2)
            {
                uint candidates = cells[(place[i + 1] * Framed) + place[i]];
                int index = candidates == TooMany
                    ? NearestOfAll(scaled[i], scaled[i + 1])
                    : NearestOf(candidates, scaled[i], scaled[i + 1], ref px, ref py);
                codes[(start + i) / 2] = (ushort)index;
                points[start + i] = Unsafe.Add(ref px, index);
                points[start + i + 1] = Unsafe.Add(ref py, index);
            }
        }
    }

    private static int NearestOf(uint candidates, float vx, float vy, ref float px, ref float py)
    {
        var (a, b, c, d) = ((byte)candidates, (byte)(candidates >> 8), (byte)(candidates >> 16), (byte)(candidates >> 24));
        var dx = Vector128.Create(vx) - Vector128.Create(Unsafe.Add(ref px, a), Unsafe.Add(ref px, b), Unsafe.Add(ref px, c), Unsafe.Add(ref px, d));
        var dy = Vector128.Create(vy) - Vector128.Create(Unsafe.Add(ref py, a), Unsafe.Add(ref py, b), Unsafe.Add(ref py, c), Unsafe.Add(ref py, d));

        // Distances are not negative, so their bits are in the same order as they are.
        var distance = ((dx * dx) + (dy * dy)).AsInt32();
        var least = Vector128.Min(distance, Vector128.Shuffle(distance, Vector128.Create(2, 3, 0, 1)));
        least = Vector128.Min(least, Vector128.Shuffle(least, Vector128.Create(1, 0, 3, 2)));
        int slot = BitOperations.TrailingZeroCount(Vector128.Equals(distance, least).ExtractMostSignificantBits());
        return (byte)(candidates >> (8 * slot));
    }

    private int NearestOfAll(float vx, float vy)
    {
        int best = 0;
        float least = float.PositiveInfinity;
        for (int i = 0; i < x.Length; i++)
        {
            float dx = vx - x[i], dy = vy - y[i], distance = (dx * dx) + (dy * dy);
            if (distance < least)
            {
                (best, least) = (i, distance);
            }
        }

        return best;
    }

    /// <summary>Fills a square of cells, given the points that can be nearest to something in a larger square: quarters have fewer.</summary>
    private void Fill(int column, int row, int side, int[] candidates)
    {
        const double Unit = 2.0 * Range / Side;
        double left = -Range + (column * Unit) - Slack, right = -Range + ((column + side) * Unit) + Slack;
        double bottom = -Range + (row * Unit) - Slack, top = -Range + ((row + side) * Unit) + Slack;
        int[] remaining = [.. candidates.Where(point => !candidates.Any(other => IsNearerThroughout(other, point)))];
        if (side > 1)
        {
            int half = side / 2;
            Fill(column, row, half, remaining);
            Fill(column + half, row, half, remaining);
            Fill(column, row + half, half, remaining);
            Fill(column + half, row + half, half, remaining);
            return;
        }

        uint cell = 0;
        for (int slot = 0; slot < Candidates; slot++)
        {
            cell |= (uint)remaining[Math.Min(slot, remaining.Length - 1)] << (8 * slot);
        }

        cells[((row + 1) * Framed) + column + 1] = remaining.Length <= Candidates ? cell : TooMany;

        // The difference of two squared distances is linear, so the corners decide.
        bool IsNearerThroughout(int other, int point) =>
            Lead(other, point, left, bottom) > Slack && Lead(other, point, left, top) > Slack
            && Lead(other, point, right, bottom) > Slack && Lead(other, point, right, top) > Slack;
    }

    private double Lead(int nearer, int farther, double atX, double atY) =>
        ((x[nearer] - x[farther]) * ((2 * atX) - x[nearer] - x[farther])) + ((y[nearer] - y[farther]) * ((2 * atY) - y[nearer] - y[farther]));
}
