using System.Globalization;
using Compress.Core.Calibration;
using Compress.Core.LanguageModels;
using Compress.Runtime;
using Compress.Runtime.Kernels;

namespace Compress.Bench;

/// <summary>Second moments and means of all linear layers' inputs, beside PyTorch's forward pass alone over as many tokens. What is compared is measured in turns.</summary>
internal static class CalibrationBench
{
    private const int Tokens = 16_384, Runs = 3;

    public static void Run(string[] args)
    {
        string folder = args.Length > 0 && !args[0].StartsWith('-') ? args[0] : "tests/assets/stories260K";
        using var model = LanguageModel.Open(folder);
        int length = Math.Min(256, model.MaxPositions);
        int[][] windows = [.. Enumerable.Repeat(Enumerable.Range(0, length).Select(i => i * 7 % model.VocabularySize).ToArray(), Tokens / length)];
        var report = new BenchReport("calibration", args);
        report.Line($"Second moments and means of the inputs of all linear layers of {Path.GetFileName(Path.GetFullPath(folder))} ({model.Architecture}), over {Tokens} tokens in windows of "
            + $"{length}; kernel {Kernel.Best.Name}; median of {Runs} runs after one for warm-up, in turns with PyTorch's forward pass alone over the same tokens.");
        report.Line();
        report.Line("| threads | calibration, s | PyTorch's forward pass alone, s | times PyTorch's |");
        report.Line("|---|---|---|---|");
        int all = Environment.ProcessorCount;
        foreach (int threads in all == 1 ? (int[])[1] : [1, all])
        {
            RuntimeOptions.MaxThreads = threads;
            using var torch = TorchPeer.Start(Path.GetFullPath(folder), length, threads);
            var times = new List<(double Ours, double Torch)>();
            for (int run = 0; run <= Runs; run++)
            {
                times.Add((ForwardBench.Time(() => Calibrate(model, windows)), torch is null ? double.NaN : windows.Sum(_ => torch.Run())));
            }

            double ours = times.Skip(1).Select(time => time.Ours).Order().ElementAt(Runs / 2), theirs = times.Skip(1).Select(time => time.Torch).Order().ElementAt(Runs / 2);
            report.Line(string.Create(CultureInfo.InvariantCulture, $"| {threads} | {ours:F2} | {(torch is null ? "–" : $"{theirs:F2}")} | {(torch is null ? "–" : $"{ours / theirs:F2}")} |"));
        }

        report.Save();
    }

    private static void Calibrate(LanguageModel model, int[][] windows)
    {
        double trace = 0;
        new Calibrator(model, windows).Run(
            _ => StatisticNames.OfInputs,
            (group, moments) =>
            {
                float[] values = moments.SecondMoments();
                for (int i = 0; i < group.First.Inputs; i++)
                {
                    trace += values[(i * group.First.Inputs) + i];
                }

                if (moments.Tokens != Tokens || !double.IsFinite(trace))
                {
                    throw new InvalidOperationException($"{moments.Tokens} tokens, trace {trace}");
                }
            },
            _ => false,
            (_, _) => { },
            progress: null,
            CancellationToken.None);
    }
}
