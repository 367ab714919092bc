using System.Globalization;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Gradients;
using Compress.Core.Models;
using Compress.Runtime;
using Compress.Runtime.Kernels;

namespace Compress.Bench;

/// <summary>The forward and backward pass of a language model beside PyTorch, in turns: cross-entropy, and its gradients of all weights.</summary>
internal static class BackwardBench
{
    public static void Run(string[] args)
    {
        string folder = args.Length > 0 && !args[0].StartsWith('-') ? args[0] : "tests/assets/stories260K";
        using var source = ModelFile.Open(folder);
        using var model = LanguageModel.Open(source);
        int[] tokens = [.. Enumerable.Range(0, Math.Min(256, model.MaxPositions)).Select(i => i * 7 % model.VocabularySize)];
        float[] logits = new float[tokens.Length * model.VocabularySize], buffer = new float[source.Tensors.Max(tensor => tensor.Count)];
        var report = new BenchReport("backward", args);
        report.Line($"Forward and backward pass of {Path.GetFileName(Path.GetFullPath(folder))} ({model.Architecture}, {Number(source.Tensors.Sum(t => t.Count) / 1e6, "F2")} million weights) "
            + $"over one sequence of {tokens.Length} tokens: cross-entropy, and the gradients of all weights; kernel {Kernel.Best.Name}; median of {ForwardBench.Runs} runs after "
            + "warm-up, in turns. PyTorch keeps the activations of all layers; so do we while they are no more than the weights, else those of one layer at a time are computed again.");
        report.Line();
        report.Line("| threads | forward, ms | forward and backward, ms | tokens/s | PyTorch, ms | times PyTorch |");
        report.Line("|---|---|---|---|---|---|");
        string peer = "PyTorch is not here to compare with: /usr/bin/python3 has no torch (Debian: python3-torch), or the model is no Llama.";
        int all = Environment.ProcessorCount;
        foreach (int threads in all == 1 ? (int[])[1] : [1, all])
        {
            RuntimeOptions.MaxThreads = threads;
            using var torch = TorchPeer.Start(Path.GetFullPath(folder), tokens.Length, threads, backward: true);
            var observer = new Observer(buffer);
            double[] times = ForwardBench.InTurns(
                () => ForwardBench.Time(() => model.Forward(tokens, logits)),
                () => ForwardBench.Time(() => Differentiate(model, tokens, logits, observer)),
                torch is null ? () => double.NaN : torch.Run);
            if (torch is not null)
            {
                Check(observer.FirstNorm, torch.Sample);
                peer = $"PyTorch {torch.Version}; its products are those of {torch.Blas}.";
            }

            report.Line($"| {threads} | {Number(times[0] * 1e3, "F1")} | {Number(times[1] * 1e3, "F1")} | {Number(tokens.Length / times[1], "F0")} "
                + $"| {(torch is null ? "–" : Number(times[2] * 1e3, "F1"))} | {(torch is null ? "–" : Number(times[2] / times[1], "F2"))} |");
        }

        report.Line();
        report.Line(peer);
        report.Save();
    }

    private static void Differentiate(LanguageModel model, int[] tokens, float[] logits, Observer observer)
    {
        using var pass = model.Record(tokens);
        pass.ReadLogits(logits);
        CrossEntropy.Backward(logits, [.. tokens.AsSpan(1), -1]);
        pass.BackwardFromLogits(logits, observer);
    }

    private static void Check(float[] gradient, float[] expected)
    {
        float greatest = expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(gradient[i] - expected[i]) <= 1e-3 * greatest))
            {
                throw new InvalidOperationException($"gradient {i} is {gradient[i]}, but PyTorch's is {expected[i]}");
            }
        }
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Computes the gradients of all weights, one after another in one place.</summary>
    private sealed class Observer(float[] buffer) : IGradientObserver
    {
        public float[] FirstNorm { get; private set; } = [];

        public void OnLinear(in LinearGradient gradient) => gradient.Compute(buffer.AsSpan(0, gradient.Rows * gradient.Columns));

        public void OnVector(string name, ReadOnlySpan<float> gradient)
        {
            if (name == "model.layers.0.input_layernorm.weight")
            {
                FirstNorm = gradient.ToArray();
            }
        }
    }
}
