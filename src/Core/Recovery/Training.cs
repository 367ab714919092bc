using System.Diagnostics;

namespace Compress.Core.Recovery;

/// <summary>
/// Trains numbers of packed tensors: by Adam (Kingma and Ba, arXiv 1412.6980), each number in units of its size, with a learning rate that falls to zero. Now and then, and at the end, the
/// tensors as they would be stored are measured on windows that are not trained on. The best is taken.
/// Bit-exact: the same numbers on every machine and for any number of threads, unless there is a limit of time.
/// </summary>
/// <param name="set">What is trained.</param>
/// <param name="loss">What is made small.</param>
/// <param name="steps">Steps at most.</param>
/// <param name="learningRate">The greatest change of a number in a step, in units of its size.</param>
/// <param name="time">No step begins later; null for no limit.</param>
internal sealed class Training(TrainableSet set, ITrainingLoss loss, int steps, double learningRate, TimeSpan? time)
{
    private const float MeanDecay = 0.9f, SquareDecay = 0.99f, Least = 1e-12f;

    // Learning rates rise in so many steps, while the means are of few gradients.
    private const int WarmUp = 10;

    // How often it is measured.
    private const int Measurements = 8;

    /// <summary>Other numbers, which are taken if they are better than those that it begins with and all that come of them; null if there are none.</summary>
    public float[]? Otherwise { get; init; }

    /// <summary>Steps at most.</summary>
    public int Steps => steps;

    /// <summary>Steps between measurements, after which it can go on.</summary>
    public int Interval => Math.Max(1, (steps + Measurements - 1) / Measurements);

    /// <summary>Trains.</summary>
    /// <param name="from">Where to go on; null to begin.</param>
    /// <param name="checkpoint">Given the state after each measurement but the last.</param>
    /// <param name="progress">Told after each step: steps done and the least loss.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public RecoveryState Run(RecoveryState? from, Action<RecoveryState> checkpoint, Action<int, double>? progress, CancellationToken cancellationToken)
    {
        long begin = Stopwatch.GetTimestamp();
        var state = from ?? Begin(cancellationToken);
        double before = state.Seconds;
        float[] gradient = new float[set.Count];
        while (state.Step < steps && !(time is { } limit && Elapsed() >= limit.TotalSeconds))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (own, means, squares) = (state.Values.ToArray(), state.Means.ToArray(), state.Squares.ToArray());
            Array.Clear(gradient);
            loss.Gradient(own, state.Step, gradient, cancellationToken);
            Adam(state.Step, own, means, squares, gradient);
            state = state with { Step = state.Step + 1, Values = own, Means = means, Squares = squares, Seconds = Elapsed() };
            if (state.Step % Interval == 0 || state.Step == steps)
            {
                state = Measured(state, cancellationToken);
                if (state.Step < steps)
                {
                    checkpoint(state);
                }
            }

            progress?.Invoke(state.Step, state.LossBest);
        }

        return state.Step % Interval == 0 || state.Step == steps ? state : Measured(state, cancellationToken);

        double Elapsed() => before + Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private RecoveryState Begin(CancellationToken cancellationToken)
    {
        float[] values = set.Start;
        var state = RecoveryState.Start(values, loss.Measure(values, cancellationToken));
        if (Otherwise is null)
        {
            return state;
        }

        double other = loss.Measure(Otherwise, cancellationToken);
        return (IsLess(other, state.LossBest) ? state with { Best = Otherwise, LossBest = other } : state) with { LossOtherwise = other };
    }

    private RecoveryState Measured(RecoveryState state, CancellationToken cancellationToken)
    {
        double now = loss.Measure(state.Values, cancellationToken);
        return IsLess(now, state.LossBest) ? state with { Best = state.Values, BestStep = state.Step, LossBest = now } : state;
    }

    // What a destroyed model predicts may be no number.
    private static bool IsLess(double now, double before) => now < before || (double.IsNaN(before) && !double.IsNaN(now));

    private void Adam(int step, float[] values, float[] means, float[] squares, float[] gradient)
    {
        double meanLeft = 1, squareLeft = 1;
        for (int i = 0; i <= step; i++)
        {
            (meanLeft, squareLeft) = (meanLeft * MeanDecay, squareLeft * SquareDecay);
        }

        double rate = learningRate * Math.Min(1, (step + 1.0) / WarmUp) * (1 - ((double)step / steps));
        float meanFactor = (float)(rate / (1 - meanLeft)), squareFactor = (float)(1 / (1 - squareLeft));
        if (gradient.AsSpan().ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
        {
            return; // not finite: a step that teaches nothing
        }

        for (int i = 0; i < values.Length; i++)
        {
            float unit = set.Units[i], slope = gradient[i] * unit;
            means[i] = (MeanDecay * means[i]) + ((1 - MeanDecay) * slope);
            squares[i] = (SquareDecay * squares[i]) + ((1 - SquareDecay) * slope * slope);
            values[i] -= unit * meanFactor * means[i] / (MathF.Sqrt(squares[i] * squareFactor) + Least);
        }
    }
}
