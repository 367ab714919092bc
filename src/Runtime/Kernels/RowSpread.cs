namespace Compress.Runtime.Kernels;

/// <summary>A product, part by part. A struct, so that a call on one thread allocates nothing.</summary>
internal interface IRowWork
{
    /// <summary>Computes the results of <paramref name="rowCount"/> rows from <paramref name="firstRow"/>.</summary>
    void Run(int firstRow, int rowCount, ReadOnlySpan<float> input, Span<float> output);
}

/// <summary>Spreads the rows of a product over threads if there is enough to do.</summary>
internal static unsafe class RowSpread
{
    /// <summary>Weights times vectors below which a second thread costs more than it saves; see bench/results.</summary>
    internal const long ParallelThreshold = 1 << 20;

    /// <summary>Runs <paramref name="work"/> for all rows, in parts. Every part is given all of input and output.</summary>
    public static void Run<TWork>(int rows, int columns, int batch, ReadOnlySpan<float> input, Span<float> output, TWork work)
        where TWork : struct, IRowWork
    {
        int threads = (double)rows * columns * batch < ParallelThreshold ? 1 : Math.Min(RuntimeOptions.MaxThreads, rows);
        if (threads == 1)
        {
            work.Run(0, rows, input, output);
        }
        else
        {
            Spread(rows, threads, input, output, work);
        }
    }

    // Apart, because the closure would be allocated where its variables begin.
    private static void Spread<TWork>(int rows, int threads, ReadOnlySpan<float> input, Span<float> output, TWork work)
        where TWork : struct, IRowWork
    {
        // Four parts a thread even out a busy machine; multiples of four rows fill the blocks of panels.
        int part = (((rows + (4 * threads) - 1) / (4 * threads)) + 3) / 4 * 4;
        fixed (float* pinnedInput = input, pinnedOutput = output)
        {
            float* from = pinnedInput, to = pinnedOutput;
            (int fromCount, int toCount) = (input.Length, output.Length);
            Parallel.For(0, (rows + part - 1) / part, new ParallelOptions { MaxDegreeOfParallelism = threads }, index =>
            {
                int first = index * part;
                work.Run(first, Math.Min(part, rows - first), new(from, fromCount), new(to, toCount));
            });
        }
    }
}
