using System.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Blocks;
using Compress.Core.LanguageModels.Gradients;
using Compress.Core.Compression;
using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;

namespace Compress.Core.Recovery;

/// <summary>
/// Trains numbers of packed tensors so that the model's predictions come nearer to its source's: by Adam (Kingma and Ba, arXiv 1412.6980) on the gradient of their divergence, each number in
/// units of its size, with a learning rate that falls to zero. Now and then, and at the end, the model as it would be stored is measured on windows that are not trained on. The best is taken.
/// Bit-exact: the same numbers on every machine and for any number of threads, unless there is a limit of time.
/// </summary>
/// <param name="source">The source.</param>
/// <param name="packed">The model with all tensors in packed form; those that are trained are replaced.</param>
/// <param name="trained">What is trained.</param>
/// <param name="windows">Tokens.</param>
/// <param name="settings">How.</param>
internal sealed class Distillation(LanguageModel source, LanguageModel packed, IReadOnlyList<Trainable> trained, RecoveryWindows windows, RecoverySettings settings)
{
    private const float MeanDecay = 0.9f, SquareDecay = 0.99f, Least = 1e-12f;

    // Learning rates rise in so many steps, while the means are of few gradients.
    private const int WarmUp = 10;

    // How often it is measured.
    private const int Measurements = 8;

    private readonly int[] starts = Starts(trained);
    private readonly float[] units = [.. trained.SelectMany(tensor => tensor.Units)];

    /// <summary>Numbers that are trained.</summary>
    public int Count => units.Length;

    /// <summary>Steps between measurements, after which a recovery can go on.</summary>
    public int Interval => (settings.Steps + Measurements - 1) / Measurements;

    /// <summary>Trains.</summary>
    /// <param name="from">Where to go on; null to begin.</param>
    /// <param name="checkpoint">Given the state after each measurement but the last.</param>
    /// <param name="progress">Told after each step.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public RecoveryState Run(RecoveryState? from, Action<RecoveryState> checkpoint, IProgress<RecoveryProgress>? progress, CancellationToken cancellationToken)
    {
        long begin = Stopwatch.GetTimestamp();
        var state = from;
        if (state is null)
        {
            float[] values = [.. trained.SelectMany(tensor => tensor.Start)];
            state = RecoveryState.Start(values, Measure(values, cancellationToken));
        }

        double before = state.Seconds;
        float[] gradient = new float[Count];
        while (state.Step < settings.Steps && !(settings.Time is { } limit && Elapsed() >= limit.TotalSeconds))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (own, means, squares) = (state.Values.ToArray(), state.Means.ToArray(), state.Squares.ToArray());
            Gradient(own, state.Step, gradient, cancellationToken);
            Adam(state.Step, own, means, squares, gradient);
            state = state with { Step = state.Step + 1, Values = own, Means = means, Squares = squares, Seconds = Elapsed() };
            if (state.Step % Interval == 0 || state.Step == settings.Steps)
            {
                state = Measured(state, cancellationToken);
                if (state.Step < settings.Steps)
                {
                    checkpoint(state);
                }
            }

            progress?.Report(new(state.Step, settings.Steps, state.KlBest));
        }

        return state.Step % Interval == 0 || state.Step == settings.Steps ? state : Measured(state, cancellationToken);

        double Elapsed() => before + Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    /// <summary>A tensor as it is stored with these numbers.</summary>
    /// <param name="index">Which one.</param>
    /// <param name="values">The numbers of all.</param>
    public PackedEntry Stored(int index, ReadOnlySpan<float> values)
    {
        var entry = trained[index].Entry;
        var own = trained[index].Write(values[starts[index]..starts[index + 1]]).ToDictionary(pair => pair.Array, pair => pair.Bytes, StringComparer.Ordinal);
        return entry with
        {
            Arrays = [.. entry.Arrays.Select(array => own.TryGetValue(array.Name, out byte[]? bytes) ? array with { ByteLength = bytes.Length, CopyTo = stream => stream.Write(bytes) } : array)],
        };
    }

    private static int[] Starts(IReadOnlyList<Trainable> trained)
    {
        int[] starts = new int[trained.Count + 1];
        for (int i = 0; i < trained.Count; i++)
        {
            starts[i + 1] = starts[i] + trained[i].Start.Length;
        }

        return starts;
    }

    private RecoveryState Measured(RecoveryState state, CancellationToken cancellationToken)
    {
        double kl = Measure(state.Values, cancellationToken);
        return kl < state.KlBest || (double.IsNaN(state.KlBest) && !double.IsNaN(kl)) ? state with { Best = state.Values, BestStep = state.Step, KlBest = kl } : state;
    }

    // Of the tensors as they would be stored.
    private double Measure(float[] values, CancellationToken cancellationToken)
    {
        for (int i = 0; i < trained.Count; i++)
        {
            packed.UseDequantized(trained[i].Entry.Name, PackedForm.Open(Stored(i, values)));
        }

        return Evaluator.Compare(source, packed, windows.HeldOut, null, cancellationToken).Kl;
    }

    private void Gradient(float[] values, int step, float[] gradient, CancellationToken cancellationToken)
    {
        float[][] weights = new float[trained.Count][];
        Threads.For(trained.Count, i =>
        {
            weights[i] = new float[trained[i].WeightCount];
            trained[i].Weights(values.AsSpan(starts[i]..starts[i + 1]), weights[i]);
        });
        for (int i = 0; i < trained.Count; i++)
        {
            packed.UseValues(trained[i].Entry.Name, weights[i]);
        }

        Array.Clear(gradient);
        var batch = windows.Batch(step);
        int tokens = batch.Sum(window => window.Length);
        var observer = new Observer(trained, starts, values, gradient);
        foreach (int[] window in batch)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using Scratch expected = new(window.Length, source.VocabularySize), logits = new(window.Length, source.VocabularySize);
            source.Forward(window, expected.Span);
            using var pass = packed.Record(window);
            pass.ReadLogits(logits.Span);
            DivergenceGradient.Compute(logits.Span, expected.Span, window.Length, settings.Temperature, 1.0 / tokens);
            pass.BackwardFromLogits(logits.Span, observer);
        }
    }

    private void Adam(int step, float[] values, float[] means, float[] squares, float[] gradient)
    {
        double meanLeft = 1, squareLeft = 1;
        for (int i = 0; i <= step; i++)
        {
            (meanLeft, squareLeft) = (meanLeft * MeanDecay, squareLeft * SquareDecay);
        }

        double rate = settings.LearningRate * Math.Min(1, (step + 1.0) / WarmUp) * (1 - ((double)step / settings.Steps));
        float meanFactor = (float)(rate / (1 - meanLeft)), squareFactor = (float)(1 / (1 - squareLeft));
        if (gradient.AsSpan().ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
        {
            return; // not finite: a step that teaches nothing
        }

        for (int i = 0; i < values.Length; i++)
        {
            float slope = gradient[i] * units[i];
            means[i] = (MeanDecay * means[i]) + ((1 - MeanDecay) * slope);
            squares[i] = (SquareDecay * squares[i]) + ((1 - SquareDecay) * slope * slope);
            values[i] -= units[i] * meanFactor * means[i] / (MathF.Sqrt(squares[i] * squareFactor) + Least);
        }
    }

    /// <summary>Adds up the gradients of the numbers.</summary>
    private sealed class Observer(IReadOnlyList<Trainable> trained, int[] starts, float[] values, float[] gradient) : IGradientObserver
    {
        private readonly Dictionary<string, int> indices = trained.Index().ToDictionary(pair => pair.Item.Entry.Name, pair => pair.Index, StringComparer.Ordinal);

        public void OnLinear(in LinearGradient linear)
        {
            if (indices.TryGetValue(linear.Name, out int index))
            {
                float[] weights = new float[linear.Rows * linear.Columns];
                linear.Compute(weights);
                Add(index, weights);
            }
        }

        public void OnVector(string name, ReadOnlySpan<float> slope)
        {
            if (indices.TryGetValue(name, out int index))
            {
                Add(index, slope);
            }
        }

        public void OnRows(string name, ReadOnlySpan<int> rows, ReadOnlySpan<float> slopes)
        {
            if (!indices.TryGetValue(name, out int index))
            {
                return;
            }

            float[] weights = new float[trained[index].WeightCount];
            int width = slopes.Length / rows.Length;
            for (int token = 0; token < rows.Length; token++)
            {
                var row = weights.AsSpan(rows[token] * width, width);
                System.Numerics.Tensors.TensorPrimitives.Add(row, slopes.Slice(token * width, width), row);
            }

            Add(index, weights);
        }

        private void Add(int index, ReadOnlySpan<float> weights) => trained[index].AddGradient(
            values.AsSpan(starts[index]..starts[index + 1]), weights, gradient.AsSpan(starts[index]..starts[index + 1]));
    }
}
