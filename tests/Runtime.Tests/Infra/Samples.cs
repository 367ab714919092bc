namespace Compress.Runtime.Tests.Infra;

/// <summary>Every kind of packed matrix, in shapes that nothing divides.</summary>
internal static class Samples
{
    public static readonly int[] Rows = [1, 3, 17];

    public static readonly int[] Columns = [1, 2, 31, 32, 33, 54, 64, 172, 1000, 1024, 1500];

    /// <summary>A name for each kind, and how to make one of a given shape.</summary>
    public static IReadOnlyDictionary<string, Func<int, int, PackedSample>> Kinds { get; } = MakeKinds();

    /// <summary>All shapes of a kind.</summary>
    public static IEnumerable<PackedSample> Of(string kind) =>
        from rows in Rows from columns in Columns select Kinds[kind](rows, columns);

    private static Dictionary<string, Func<int, int, PackedSample>> MakeKinds()
    {
        var kinds = new Dictionary<string, Func<int, int, PackedSample>>();
        foreach (int groupSize in (int[])[16, 32, 64, 128, 1024])
        {
            foreach (var (p, n) in ((int, int)[])[(1, 2), (1, 4), (1, 7), (1, 16), (1, 32), (1, 100), (1, 256), (2, 16), (2, 64), (2, 88), (2, 256)])
            {
                if (groupSize is 32 or 1024 && n != 16)
                {
                    continue; // the groups' sizes matter to the kernel for sixteen points; one more size does for the others
                }

                kinds.Add($"higgs p{p} n{n} g{groupSize}", (rows, columns) => PackedSample.Higgs(rows, columns, p, n, groupSize));
            }

            foreach (var (p, n) in ((int, int)[])[(2, 1024), (3, 64), (3, 830), (3, 4096), (4, 16), (4, 256), (4, 4096), (8, 256)])
            {
                if (groupSize == 16 || (groupSize == 128 && n == 830))
                {
                    kinds.Add($"higgs p{p} n{n} g{groupSize}", (rows, columns) => PackedSample.Higgs(rows, columns, p, n, groupSize));
                }
            }

            for (int bits = 2; bits <= 8 && groupSize <= 64; bits++)
            {
                (int b, bool symmetric) = (bits, (bits + groupSize) % 3 == 0);
                kinds.Add($"uniform {b} g{groupSize}", (rows, columns) => PackedSample.Uniform(rows, columns, b, symmetric, "group", groupSize));
            }
        }

        foreach (string granularity in (string[])["tensor", "channel"])
        {
            foreach (int bits in (int[])[3, 4, 8])
            {
                kinds.Add($"uniform {bits} {granularity}", (rows, columns) => PackedSample.Uniform(rows, columns, bits, false, granularity));
                kinds.Add($"uniform {bits} {granularity} symmetric",
                    (rows, columns) => PackedSample.Uniform(rows, columns, bits, true, granularity));
            }
        }

        return kinds;
    }
}
