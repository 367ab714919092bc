namespace Compress.Core.Codecs.Crvq;

/// <summary>
/// Chooses the codes again, group after group of a row, each for the least error given all others. With one codebook all vectors are tried; with several a
/// beam goes through them, one after the other, and begins with the codes that there are (AQLM, arXiv 2401.06118, section 3.2, and its code).
/// </summary>
internal sealed class CodeSearch
{
    private const int BeamWidth = 4;

    private readonly AdditiveCode code;
    private readonly InputMetric metric;
    private readonly VectorBook[] books;

    // Of each codebook cᵀ H_JJ c for each group J, or for all alike.
    private readonly float[][] norms;

    /// <param name="code">Its codebooks are taken as they are now.</param>
    /// <param name="metric">What errors cost.</param>
    public CodeSearch(AdditiveCode code, InputMetric metric)
    {
        (this.code, this.metric) = (code, metric);
        books = Array.ConvertAll(code.Books, vectors => new VectorBook(vectors, code.GroupSize));
        norms = new float[books.Length][];
        float[] block = new float[code.GroupSize * code.GroupSize];
        for (int book = 0; book < books.Length; book++)
        {
            int groups = metric.IsIdentity ? Math.Min(1, code.GroupsOf(book)) : code.GroupsOf(book);
            norms[book] = new float[groups * books[book].Padded];
            for (int group = 0; group < groups; group++)
            {
                metric.ReadBlock(group, block);
                books[book].Norms(block, norms[book].AsSpan(group * books[book].Padded, books[book].Padded));
            }
        }
    }

    /// <summary>Chooses all codes once.</summary>
    public void Run(CancellationToken cancellationToken) => code.ForPanels((firstRow, count) => new Panel(this).Run(firstRow, count), cancellationToken);

    private ReadOnlySpan<float> Norms(int book, int group)
    {
        int padded = books[book].Padded;
        return norms[book].AsSpan(metric.IsIdentity ? 0 : group * padded, padded);
    }

    private sealed class Panel
    {
        private readonly CodeSearch search;
        private readonly AdditiveCode code;
        private readonly InputMetric metric;
        private readonly int size;
        private readonly float[] products;
        private readonly float[] block;
        private readonly float[] target;
        private readonly float[] before;
        private readonly float[] after;
        private readonly float[] rest;
        private readonly float[] linear;
        private readonly float[] scores;
        private readonly byte[] chosen;
        private State[] beam;
        private State[] next;

        public Panel(CodeSearch search)
        {
            this.search = search;
            (code, metric, size) = (search.code, search.metric, search.code.GroupSize);
            products = new float[AdditiveCode.PanelRows * metric.StripWidth];
            block = new float[size * size];
            (target, before, after, rest, linear) = (new float[size], new float[size], new float[size], new float[size], new float[size]);
            scores = new float[search.books.Max(book => book.Padded)];
            chosen = new byte[search.books.Length];
            beam = [.. Enumerable.Range(0, BeamWidth).Select(_ => new State(search.books.Length))];
            next = [.. Enumerable.Range(0, BeamWidth).Select(_ => new State(search.books.Length))];
        }

        public void Run(int firstRow, int count)
        {
            int columns = code.Columns;
            for (int strip = 0; strip < metric.StripCount; strip++)
            {
                int first = metric.First(strip), width = metric.Width(strip);
                metric.Multiply(code.Errors.AsSpan(firstRow * columns, count * columns), count, strip, products, width);
                for (int column = 0; column < width; column += size)
                {
                    int group = (first + column) / size;
                    metric.ReadBlock(group, block);
                    for (int row = 0; row < count; row++)
                    {
                        if (code.Weights[firstRow + row] > 0 && code.Scales[firstRow + row] > 0)
                        {
                            Choose(firstRow + row, group, products.AsSpan(row * width, width), column, strip);
                        }
                    }
                }
            }
        }

        // With v = t u the group's part of the row, u a sum of vectors, the row's error changes by −2 ⟨v, a⟩ + vᵀ H_JJ v + what does not depend on v, where
        // a = (E H)_J + H_JJ v as it is now. All is divided by t below.
        private void Choose(int row, int group, Span<float> product, int column, int strip)
        {
            float scale = code.Scales[row];
            int count = code.BooksOf(group);
            before.AsSpan().Clear();
            for (int book = 0; book < count; book++)
            {
                chosen[book] = code.Codes[book][(row * code.GroupsOf(book)) + group];
                Add(1, Vector(book, chosen[book]), before);
            }

            Quadratic.Multiply(block, before, linear);
            for (int k = 0; k < size; k++)
            {
                target[k] = product[column + k] + (scale * linear[k]);
            }

            if (count == 1)
            {
                for (int k = 0; k < size; k++)
                {
                    linear[k] = 2 * target[k];
                }

                chosen[0] = (byte)search.books[0].Nearest(linear, scale, search.Norms(0, group));
            }
            else
            {
                Beam(group, count, scale);
            }

            after.AsSpan().Clear();
            bool changed = false;
            for (int book = 0; book < count; book++)
            {
                ref byte stored = ref code.Codes[book][(row * code.GroupsOf(book)) + group];
                changed |= stored != chosen[book];
                stored = chosen[book];
                Add(1, Vector(book, stored), after);
            }

            if (changed)
            {
                Move(row, group, scale, product, column, strip);
            }
        }

        // Notes the new error, and what it does to the rest of the strip.
        private void Move(int row, int group, float scale, Span<float> product, int column, int strip)
        {
            var error = code.Errors.AsSpan((row * code.Columns) + (group * size), size);
            int next = column + size;
            for (int k = 0; k < size; k++)
            {
                float moved = scale * (after[k] - before[k]);
                error[k] -= moved;
                if (!metric.IsIdentity)
                {
                    Add(-moved, metric.Square(strip).Slice(((column + k) * product.Length) + next, product.Length - next), product[next..]);
                }
            }
        }

        private void Beam(int group, int count, float scale)
        {
            beam[0].Set(chosen, before);
            int states = 1;
            for (int book = 0; book < count; book++)
            {
                int found = 0;
                for (int state = 0; state < states; state++)
                {
                    if (!SameBut(book, state))
                    {
                        found = Expand(beam[state], book, group, scale, found);
                    }
                }

                (beam, next, states) = (next, beam, found);
            }

            beam[0].Codes.AsSpan(0, count).CopyTo(chosen);
        }

        // True if an earlier state differs in the codebook that is chosen from at most: it leads to the same.
        private bool SameBut(int book, int state)
        {
            for (int other = 0; other < state; other++)
            {
                bool same = true;
                for (int i = 0; i < beam[state].Codes.Length && same; i++)
                {
                    same = i == book || beam[state].Codes[i] == beam[other].Codes[i];
                }

                if (same)
                {
                    return true;
                }
            }

            return false;
        }

        // Tries every vector of a codebook in a state's sum.
        private int Expand(State state, int book, int group, float scale, int found)
        {
            state.Sum.CopyTo(rest, 0);
            Add(-1, Vector(book, state.Codes[book]), rest);
            Quadratic.Multiply(block, rest, linear);
            float known = (scale * Quadratic.Dot(rest, linear)) - (2 * Quadratic.Dot(rest, target));
            for (int k = 0; k < size; k++)
            {
                linear[k] = 2 * (target[k] - (scale * linear[k]));
            }

            var vectors = search.books[book];
            vectors.Scores(linear, scale, search.Norms(book, group), scores);
            for (int entry = 0; entry < vectors.Count; entry++)
            {
                float score = known + scores[entry];
                if (found < BeamWidth || score < next[found - 1].Score)
                {
                    found = Math.Min(found + 1, BeamWidth);
                    var place = next[found - 1];
                    int at = found - 1;
                    for (; at > 0 && score < next[at - 1].Score; at--)
                    {
                        next[at] = next[at - 1];
                    }

                    next[at] = place;
                    place.Set(state.Codes, rest);
                    place.Codes[book] = (byte)entry;
                    place.Score = score;
                    Add(1, Vector(book, entry), place.Sum);
                }
            }

            return found;
        }

        private ReadOnlySpan<float> Vector(int book, int entry) => code.Books[book].AsSpan(entry * size, size);

        private static void Add(float factor, ReadOnlySpan<float> vector, Span<float> sum)
        {
            for (int k = 0; k < vector.Length; k++)
            {
                sum[k] += factor * vector[k];
            }
        }

        private sealed class State(int books)
        {
            public byte[] Codes { get; } = new byte[books];

            public float[] Sum { get; private set; } = [];

            public float Score { get; set; }

            public void Set(byte[] codes, float[] sum)
            {
                codes.CopyTo(Codes, 0);
                Sum = Sum.Length == sum.Length ? Sum : new float[sum.Length];
                sum.CopyTo(Sum, 0);
            }
        }
    }
}
