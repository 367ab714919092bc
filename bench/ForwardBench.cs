using System.Diagnostics;
using System.Globalization;
using Compress.Core.Codecs;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Codecs.Keep;
using Compress.Runtime.Kernels;
using Compress.Runtime.Safetensors;

namespace Compress.Bench;

/// <summary>
/// The forward pass of a language model, from float32 and from packed weights, beside PyTorch; and its matrix product beside what the
/// machine can do. What is compared is measured in turns.
/// </summary>
internal static class ForwardBench
{
    public const int Runs = 25;

    public static void Run(string[] args)
    {
        string folder = args.Length > 0 && !args[0].StartsWith('-') ? args[0] : "tests/assets/stories260K";
        using var source = ModelFile.Open(folder);
        using var model = LanguageModel.Open(source);
        using var packed = LanguageModel.Open(source);
        string bits = Pack(source, packed);
        int[] tokens = [.. Enumerable.Range(0, Math.Min(256, model.MaxPositions)).Select(i => i * 7 % model.VocabularySize)];
        var report = new BenchReport("forward", args);
        report.Line($"Forward pass of {Path.GetFileName(Path.GetFullPath(folder))} ({model.Architecture}, {Number(source.Tensors.Sum(t => t.Count) / 1e6, "F2")} million weights) over "
            + $"one sequence of {tokens.Length} tokens, with all logits; kernel {Kernel.Best.Name}; median of {Runs} runs after warm-up, in turns.");
        report.Line();
        string peer = "PyTorch is not here to compare with: /usr/bin/python3 has no torch (Debian: python3-torch), or the model is no Llama.";
        report.Line($"| threads | float32, tokens/s | PyTorch, tokens/s | times PyTorch | from {bits}, tokens/s | times the time of float32 |");
        report.Line("|---|---|---|---|---|---|");
        int all = Environment.ProcessorCount;
        foreach (int threads in all == 1 ? (int[])[1] : [1, all])
        {
            RuntimeOptions.MaxThreads = threads;
            using var torch = TorchPeer.Start(Path.GetFullPath(folder), tokens.Length, threads);
            float[] logits = new float[tokens.Length * model.VocabularySize];
            double[] times = InTurns(
                () => Time(() => model.Forward(tokens, logits)), () => Time(() => packed.Forward(tokens, logits)), torch is null ? () => double.NaN : torch.Run);
            if (torch is not null)
            {
                model.Forward(tokens, logits);
                Check(logits.AsSpan(logits.Length - model.VocabularySize), torch.Sample);
                peer = $"PyTorch {torch.Version}; its products are those of {torch.Blas}.";
            }

            report.Line($"| {threads} | {Number(tokens.Length / times[0], "F0")} | {(torch is null ? "–" : Number(tokens.Length / times[2], "F0"))} "
                + $"| {(torch is null ? "–" : Number(times[2] / times[0], "F2"))} | {Number(tokens.Length / times[1], "F0")} | {Number(times[1] / times[0], "F2")} |");
        }

        report.Line();
        report.Line(peer);
        report.Line();
        Products(report, all);
        report.Save();
    }

    /// <summary>Takes all matrices from packed forms.</summary>
    /// <returns>What they are.</returns>
    private static string Pack(ModelFile source, LanguageModel model)
    {
        var encoder = Encoders.Of("higgs", ("bits", 4), ("p", 1));
        double stored = 0, weights = 0;
        foreach (var tensor in source.Tensors.Where(tensor => tensor.Shape.Count == 2))
        {
            var encoded = DecodedTensor.Open(encoder.Encode(tensor, null, CancellationToken.None), tensor.DType, tensor.Shape);
            model.Use(tensor.Name, encoded);
            stored += encoded.BitsPerWeight * tensor.Count;
            weights += tensor.Count;
        }

        return $"higgs, p = 1, n = 16 ({Number(stored / weights, "F2")} bits per weight)";
    }

    private static void Products(BenchReport report, int all)
    {
        const int Side = 1024, Batch = 256;
        var limits = MachineLimits.Measure();
        float[] weights = RandomWeights.Gaussian(Side * Side), x = RandomWeights.Gaussian(Batch * Side), y = new float[Batch * Side];
        byte[] bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(weights).ToArray();
        var product = new KeepProduct(DType.F32, new ByteView(MappedBytes.FromArray(bytes), 0, bytes.Length), Side, Side);
        double peak = limits.MultiplyAdds * 8;
        report.Line($"The product of a {Side} × {Side} float32 layer with {Batch} vectors. A thread does at most {Number(peak / 1e9, "F1")} billion multiply-adds of "
            + "floats a second: measured with independent 256-bit multiply-adds in registers, twice for two threads.");
        report.Line();
        report.Line("| threads | billion multiply-adds/s | of the peak |");
        report.Line("|---|---|---|");
        foreach (int threads in all == 1 ? (int[])[1] : [1, all])
        {
            RuntimeOptions.MaxThreads = threads;
            double time = Timing.Measure(() => product.Multiply(Kernel.Best, x, y, Batch), runs: Runs).Median;
            double rate = (double)Side * Side * Batch / time;
            report.Line($"| {threads} | {Number(rate / 1e9, "F1")} | {Number(rate / peak / threads, "P0")} |");
        }
    }

    internal static double[] InTurns(params Func<double>[] runs)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalSeconds < 2)
        {
            Array.ForEach(runs, run => run());
        }

        double[][] times = [.. runs.Select(_ => new double[Runs])];
        for (int i = 0; i < Runs; i++)
        {
            for (int run = 0; run < runs.Length; run++)
            {
                times[run][i] = runs[run]();
            }
        }

        return [.. times.Select(all => all.Order().ElementAt(Runs / 2))];
    }

    internal static double Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Check(ReadOnlySpan<float> logits, float[] expected)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(logits[i] - expected[i]) <= 1e-3))
            {
                throw new InvalidOperationException($"logit {i} is {logits[i]}, but PyTorch's is {expected[i]}");
            }
        }
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
