namespace Compress.Runtime.Kernels;

/// <summary>Computes the results of so many rows from <paramref name="firstRow"/>.</summary>
internal delegate void RowWork(int firstRow, int rowCount, ReadOnlySpan<float> input, Span<float> output);

/// <summary>Spreads the rows of a product over threads if there is enough to do.</summary>
internal static unsafe class RowSpread
{
    /// <summary>Weights times vectors below which a second thread costs more than it saves; see bench/results.</summary>
    internal const long ParallelThreshold = 1 << 18;

    /// <summary>Calls <paramref name="work"/> for all rows, in parts. Every part is given all of input and output.</summary>
    public static void Run(int rows, int columns, int batch, ReadOnlySpan<float> input, Span<float> output, RowWork work)
    {
        int threads = (double)rows * columns * batch < ParallelThreshold ? 1 : Math.Min(RuntimeOptions.MaxThreads, rows);
        if (threads == 1)
        {
            work(0, rows, input, output);
            return;
        }

        // Four parts a thread even out a busy machine; multiples of four rows fill the blocks of panels.
        int part = (((rows + (4 * threads) - 1) / (4 * threads)) + 3) / 4 * 4;
        fixed (float* pinnedInput = input, pinnedOutput = output)
        {
            float* from = pinnedInput, to = pinnedOutput;
            (int fromCount, int toCount) = (input.Length, output.Length);
            Parallel.For(0, (rows + part - 1) / part, new ParallelOptions { MaxDegreeOfParallelism = threads }, index =>
            {
                int first = index * part;
                work(first, Math.Min(part, rows - first), new(from, fromCount), new(to, toCount));
            });
        }
    }
}
