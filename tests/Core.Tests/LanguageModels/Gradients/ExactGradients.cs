using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Gradients;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.LanguageModels.Gradients;

/// <summary>
/// Gradients of the models of tests/assets/language-models, beside PyTorch's and beside finite differences in double. Errors are relative to the
/// tensor: of its gradient's greatest value, or of its length, but a thousandth of the greatest of all at least: the bias of keys shifts all scores of a
/// token alike, so that its gradient is zero but for rounding.
/// </summary>
public class ExactGradients
{
    private const double Tolerance = 1e-4;

    private const int Few = 12; // tokens, but more than any window

    public static TheoryData<string> Models => GoldenLogits.Models;

    [Theory, MemberData(nameof(Models))]
    public void AgreeWithPyTorch(string name)
    {
        string folder = Path.Combine(Assets.LanguageModels, name);
        using var source = ModelFile.Open(folder);
        using var golden = ModelFile.Open(Path.Combine(folder, "golden.safetensors"));
        int[] tokens = Tokens(golden);
        var (loss, gradients) = OfCrossEntropy(source, tokens);
        Assert.Equal(Values(golden, "loss")[0], loss, 1e-4 * loss);
        string[] expected = [.. golden.Tensors.Select(tensor => tensor.Name).Where(tensor => tensor.StartsWith("gradient.", StringComparison.Ordinal))];
        Assert.Equal(expected.Select(tensor => tensor["gradient.".Length..]), gradients.Keys.Order(StringComparer.Ordinal));
        double least = 1e-3 * expected.Max(tensor => Values(golden, tensor).Max(Math.Abs));
        foreach (string tensor in expected)
        {
            float[] values = Values(golden, tensor), all = gradients[tensor["gradient.".Length..]];
            double greatest = Math.Max(values.Max(Math.Abs), least);
            for (int i = 0; i < values.Length; i++)
            {
                Assert.True(Math.Abs(all[7 * i] - values[i]) <= Tolerance * greatest, $"{tensor}[{7 * i}]: {all[7 * i]}, expected {values[i]}, of {greatest}");
            }
        }
    }

    [Theory, MemberData(nameof(Models))]
    public void OfCrossEntropyAgreeWithFiniteDifferences(string name)
    {
        string folder = Path.Combine(Assets.LanguageModels, name);
        using var source = ModelFile.Open(folder);
        using var golden = ModelFile.Open(Path.Combine(folder, "golden.safetensors"));
        int[] tokens = Tokens(golden)[..Few];
        CheckDifferences(folder, OfCrossEntropy(source, tokens).Gradients, model => model.Loss(tokens));
    }

    /// <summary>What CVXQ propagates: a direction in the space of final hidden states, at one token.</summary>
    [Theory, MemberData(nameof(Models))]
    public void OfAFinalHiddenStateAgreeWithFiniteDifferences(string name)
    {
        const int Token = 9;
        string folder = Path.Combine(Assets.LanguageModels, name);
        using var source = ModelFile.Open(folder);
        using var golden = ModelFile.Open(Path.Combine(folder, "golden.safetensors"));
        using var model = LanguageModel.Open(source);
        using var pass = model.Record(Tokens(golden).AsSpan(0, Few));
        float[] direction = TestModel.Gaussian(pass.HiddenWidth, 5), gradient = new float[pass.Tokens * pass.HiddenWidth];
        direction.CopyTo(gradient, Token * pass.HiddenWidth);
        var collector = new GradientCollector { Length = tensor => source[tensor].Count };
        pass.BackwardFromHidden(gradient, collector);
        CheckDifferences(folder, collector.Gradients, other => other.Hidden(Tokens(golden)[..Few])[Token].Zip(direction, (a, b) => a * b).Sum());
    }

    /// <summary>So deep that only every second input of its layers is kept.</summary>
    [Fact]
    public void OfADeepModelAgreeWithFiniteDifferences()
    {
        using var deep = new TinyLlama();
        deep.SetLayers(40);
        string folder = deep.Write();
        int[] tokens = [1, 4, 2, 9, 9, 0, 3];
        using var source = ModelFile.Open(folder);
        CheckDifferences(folder, OfCrossEntropy(source, tokens).Gradients, model => model.Loss(tokens));
    }

    /// <summary>More tokens than attention takes at a time, queries that share keys, and a window that begins within a block.</summary>
    [Fact]
    public void OfALongSequenceAgreeWithFiniteDifferences()
    {
        using var model = new TinyLlama();
        (model.Config["architectures"], model.Config["sliding_window"]) = (new JsonArray("MistralForCausalLM"), 75);
        (model.Config["num_key_value_heads"], model.Config["max_position_embeddings"]) = (1, 200);
        model.Shapes["model.layers.0.self_attn.k_proj.weight"] = model.Shapes["model.layers.0.self_attn.v_proj.weight"] = [4, 8];
        string folder = model.Write();
        int[] tokens = [.. Enumerable.Range(0, 150).Select(i => (i * i * 7 / 5) % 10)];
        using var source = ModelFile.Open(folder);
        CheckDifferences(folder, OfCrossEntropy(source, tokens).Gradients, other => other.Loss(tokens));
    }

    internal static (double Loss, IReadOnlyDictionary<string, float[]> Gradients) OfCrossEntropy(ModelFile source, int[] tokens)
    {
        using var model = LanguageModel.Open(source);
        using var pass = model.Record(tokens);
        float[] logits = new float[tokens.Length * model.VocabularySize];
        pass.ReadLogits(logits);
        double loss = CrossEntropy.Backward(logits, [.. tokens.AsSpan(1), -1]);
        var collector = new GradientCollector { Length = tensor => source[tensor].Count };
        pass.BackwardFromLogits(logits, collector);
        return (loss, collector.Gradients);
    }

    // Along random directions, each of which all values of a tensor take part in.
    private static void CheckDifferences(string folder, IReadOnlyDictionary<string, float[]> gradients, Func<DoubleModel, double> value)
    {
        var model = new DoubleModel(folder);
        int seed = 100;
        double least = 1e-3 * gradients.Values.Max(Length);
        foreach (var (name, gradient) in gradients)
        {
            double[] weights = model.Tensors[name], before = [.. weights];
            double length = Math.Max(Length(gradient), least);
            float[] direction = TestModel.Gaussian(weights.Length, ++seed);
            double step = 1e-6 / Math.Sqrt(weights.Length);
            double above = At(step), below = At(-step), slope = gradient.Zip(direction, (g, d) => (double)g * d).Sum();
            double expected = (above - below) / (2 * step);
            Assert.True(Math.Abs(slope - expected) <= Tolerance * length, $"{name}: {slope}, expected {expected}, of {length}");

            double At(double distance)
            {
                for (int i = 0; i < weights.Length; i++)
                {
                    weights[i] = before[i] + (distance * direction[i]);
                }

                double result = value(model);
                before.CopyTo(weights, 0);
                return result;
            }
        }

        static double Length(float[] gradient) => Math.Sqrt(gradient.Sum(g => (double)g * g));
    }

    private static int[] Tokens(ModelFile golden) => MemoryMarshal.Cast<byte, int>(golden["tokens"].Bytes(0, (int)golden["tokens"].ByteLength)).ToArray();

    private static float[] Values(ModelFile golden, string name)
    {
        float[] values = new float[golden[name].Count];
        golden[name].ReadRows(0, golden[name].Rows, values);
        return values;
    }
}
