namespace Compress.Core.Codecs.Higgs;

/// <summary>
/// The order in which grids are stored that <see cref="SpaceSearch"/> searches: halved across their longest side until eight points are left, so that each eight
/// consecutive points lie together.
/// </summary>
internal static class PointOrder
{
    /// <summary>The indices of the points in that order.</summary>
    /// <param name="points">[n, p].</param>
    /// <param name="p">The dimension.</param>
    public static int[] Of(float[] points, int p)
    {
        int[] order = [.. Enumerable.Range(0, points.Length / p)];
        Split(points, p, order);
        return order;
    }

    private static void Split(float[] points, int p, Span<int> part)
    {
        int longest = 0;
        float length = float.NegativeInfinity;
        for (int axis = 0; axis < p; axis++)
        {
            float least = float.PositiveInfinity, most = float.NegativeInfinity;
            foreach (int i in part)
            {
                (least, most) = (Math.Min(least, points[(i * p) + axis]), Math.Max(most, points[(i * p) + axis]));
            }

            (longest, length) = most - least > length ? (axis, most - least) : (longest, length);
        }

        part.Sort((a, b) => points[(a * p) + longest].CompareTo(points[(b * p) + longest]) is var order and not 0 ? order : a.CompareTo(b));
        if (part.Length > SpaceSearch.Block)
        {
            int blocks = (part.Length + SpaceSearch.Block - 1) / SpaceSearch.Block;
            int half = blocks / 2 * SpaceSearch.Block;
            Split(points, p, part[..half]);
            Split(points, p, part[half..]);
        }
    }
}
