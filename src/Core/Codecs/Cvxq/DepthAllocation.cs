using Compress.Runtime.Codecs.Cvxq;

namespace Compress.Core.Codecs.Cvxq;

/// <summary>
/// The integer bit depths of least modelled distortion Σ P G² S² 4^−B under a number of bits (Young, arXiv 2409.02026, §3). A group's returns
/// fall by four with each bit, so those depths are optimal whose last bits all return more than λ a weight, and whose next bits do not.
/// </summary>
internal static class DepthAllocation
{
    /// <param name="distortions">G² S² of each group: what a weight of it costs without bits. Finite, not negative.</param>
    /// <param name="sizes">Weights of each group.</param>
    /// <param name="bits">Bits for all codes together. They are never exceeded.</param>
    /// <returns>The depths, 0 to 8. Groups that cost nothing get none.</returns>
    public static byte[] Choose(double[] distortions, int[] sizes, double bits)
    {
        byte[] depths = new byte[distortions.Length];
        double largest = distortions.Length == 0 ? 0 : distortions.Max();
        if (largest == 0)
        {
            return depths;
        }

        // At λ = high no group has a bit. The bits of depths fall as λ grows: halve the ratio of the bounds until they are neighbours.
        double high = largest, low = largest * Math.ScaleB(1, -400);
        for (int halving = 0; halving < 80; halving++)
        {
            double middle = Math.Sqrt(high) * Math.Sqrt(low);
            (low, high) = Bits(distortions, sizes, middle) <= bits ? (low, middle) : (middle, high);
        }

        double left = bits;
        for (int group = 0; group < depths.Length; group++)
        {
            depths[group] = Depth(distortions[group], high);
            left -= (double)depths[group] * sizes[group];
        }

        Promote(distortions, sizes, depths, left);
        return depths;
    }

    /// <summary>What a weight of that group loses by its bit after <paramref name="depth"/>.</summary>
    public static double Return(double distortion, int depth) => 0.75 * distortion * Math.ScaleB(1, -2 * depth);

    private static byte Depth(double distortion, double lambda)
    {
        byte depth = 0;
        while (depth < MixedMatrix.MaxDepth && Return(distortion, depth) > lambda)
        {
            depth++;
        }

        return depth;
    }

    private static double Bits(double[] distortions, int[] sizes, double lambda)
    {
        double bits = 0;
        for (int group = 0; group < sizes.Length; group++)
        {
            bits += (double)Depth(distortions[group], lambda) * sizes[group];
        }

        return bits;
    }

    // Only groups that tie at λ, and short ones, are left: the first of equals are promoted first.
    private static void Promote(double[] distortions, int[] sizes, byte[] depths, double left)
    {
        var queue = new PriorityQueue<int, (double, int)>();
        Action<int> add = group =>
        {
            if (depths[group] < MixedMatrix.MaxDepth && distortions[group] > 0)
            {
                queue.Enqueue(group, (-Return(distortions[group], depths[group]), group));
            }
        };
        for (int group = 0; group < depths.Length; group++)
        {
            add(group);
        }

        while (left > 0 && queue.TryDequeue(out int group, out _))
        {
            if (sizes[group] <= left)
            {
                left -= sizes[group];
                depths[group]++;
                add(group);
            }
        }
    }
}
