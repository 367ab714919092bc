namespace Compress.Core.Codecs.Crvq;

/// <summary>Turns bits per weight into codebooks and critical channels; docs/codecs/crvq.md, Bits.</summary>
internal static class FormSearch
{
    private const int MostBooks = 8, FewestBits = 4, MostBits = 8;

    /// <summary>
    /// Of all forms that take no more, that which is expected to leave the least error, and of equal ones the smallest. Channels keep the part of their importance
    /// that <see cref="AdditiveForm.Remaining"/> says. If none is as small, the smallest of all.
    /// </summary>
    /// <param name="bits">Bits per weight, everything counted that is stored.</param>
    /// <param name="rows">Rows of the matrix.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="groupSize">Columns of a group.</param>
    /// <param name="importance">What one codebook's error in each channel costs; null if all groups are to have all codebooks.</param>
    public static AdditiveForm Best(double bits, int rows, int columns, int groupSize, double[]? importance)
    {
        double limit = bits * rows * columns / 8;
        double[] first = importance is null ? [] : Sums(importance);
        AdditiveForm? best = null, smallest = null;
        double least = double.PositiveInfinity;
        for (int codebookBits = MostBits; codebookBits >= FewestBits; codebookBits--)
        {
            for (int codebooks = 1; codebooks <= MostBooks; codebooks++)
            {
                var form = importance is null || codebooks == 1 ? Form(importance is null ? null : 0) : Largest(columns / groupSize, Form, limit);
                smallest = smallest is null || form.Bytes < smallest.Bytes ? form : smallest;
                double error = Error(form, first, columns, groupSize);
                if (form.Bytes <= limit && (error < least || (error == least && form.Bytes < best!.Bytes)))
                {
                    (best, least) = (form, error);
                }

                AdditiveForm Form(int? critical) => new(rows, columns, groupSize, codebooks, codebookBits, critical);
            }
        }

        return best ?? smallest!;
    }

    // The most critical groups that fit. A form takes more with each: neither codes nor codebooks become fewer.
    private static AdditiveForm Largest(int most, Func<int?, AdditiveForm> form, double limit)
    {
        int low = 0, high = most;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = form(middle).Bytes <= limit ? (middle, high) : (low, middle - 1);
        }

        return form(low);
    }

    private static double Error(AdditiveForm form, double[] first, int columns, int groupSize)
    {
        var (critical, others) = form.Remaining();
        return first.Length == 0 ? critical : (first[form.Critical * groupSize] * critical) + ((first[columns] - first[form.Critical * groupSize]) * others);
    }

    // Of the most important channels, so many.
    private static double[] Sums(double[] importance)
    {
        double[] sums = new double[importance.Length + 1], descending = [.. importance.OrderDescending()];
        for (int i = 0; i < descending.Length; i++)
        {
            sums[i + 1] = sums[i] + descending[i];
        }

        return sums;
    }
}
