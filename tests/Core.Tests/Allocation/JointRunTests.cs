using Compress.Core.Allocation;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime;

namespace Compress.Core.Tests.Allocation;

public sealed class JointRunTests : IDisposable
{
    private static readonly int[][] Windows = [.. Enumerable.Range(0, 5).Select(w => Enumerable.Range(0, 11 + w).Select(i => ((i * i) + w) % 50).ToArray())];

    private readonly TempFolder folder = new();
    private readonly ModelFile source = ModelFile.Open(Path.Combine(Assets.LanguageModels, "llama"));
    private readonly LanguageModel model;
    private readonly PackedModel packed;

    public JointRunTests()
    {
        model = LanguageModel.Open(source);
        string recipe = folder["compress.yaml"];
        File.WriteAllText(recipe, "bits: 3\ngroupSize: 16\n");
        Core.Compression.Compressor.Run(new(source.Header.Files[0], recipe, folder["m.safetensors"]), new(), null, CancellationToken.None);
        packed = PackedModel.OpenFile(folder["m.safetensors"]);
    }

    public void Dispose()
    {
        packed.Dispose();
        source.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void GivesWhatTheEvaluatorMeasures()
    {
        var changed = LanguageModel.Open(source);
        foreach (var (tensor, form) in Choice())
        {
            float[] values = new float[source[tensor].Count];
            form.Open().Dequantize(values);
            changed.UseValues(tensor, values);
        }

        var compared = Evaluator.Compare(model, changed, [.. Windows.Select(tokens => new TokenWindow(tokens, 1))], null, CancellationToken.None);
        var cost = Measure(true, Choice())[0];
        Assert.True(cost.Kl > 0.01);
        Assert.Equal(compared.Kl, cost.Kl, 1e-9 * cost.Kl);
        Assert.Equal(compared.Packed.Mean - compared.Source.Mean, cost.LnPerplexity, 1e-9);
    }

    [Fact]
    public void OfFormsWithoutErrorsIsNothing() => Assert.Equal(new JointCost(0, 0), Measure(true, [.. Choice().Select(layer => (layer.Tensor, layer.Form with { RelativeMse = 0 }))])[0]);

    [Fact]
    public void LeavesOutTensorsThatTheModelDoesNotComputeWith()
    {
        var choice = Choice();
        Assert.Equal(Measure(true, choice)[0], Measure(true, [.. choice, ("other.weight", choice[0].Form with { Digest = "other" })])[0]);
    }

    [Fact]
    public void OnRandomTokensThereIsNoPerplexity() => Assert.True(double.IsNaN(Measure(false, Choice())[0].LnPerplexity));

    [Fact]
    public void DoesNotDependOnThreadsNorOnOtherChoices()
    {
        var choice = Choice();
        var alone = Measure(true, choice)[0];
        int threads = RuntimeOptions.MaxThreads;
        try
        {
            RuntimeOptions.MaxThreads = 1;
            Assert.Equal(alone, Measure(true, [choice[0]], choice)[1]);
        }
        finally
        {
            RuntimeOptions.MaxThreads = threads;
        }
    }

    // What is there is believed; another form is another choice.
    [Fact]
    public void TakesResultsFromTheCache()
    {
        var cache = new EvaluationCache(folder["cache"]);
        var choice = Choice();
        var first = Run(cache, choice);
        foreach (string file in Directory.GetFiles(folder["cache"], "*.json", SearchOption.AllDirectories))
        {
            File.WriteAllText(file, """{"Kl":7,"LnPerplexity":8}""");
        }

        Assert.Equal(new JointCost(7, 8), Run(cache, choice));
        Assert.Equal(first, Run(cache, [.. choice.Select((layer, i) => i == 0 ? (layer.Tensor, layer.Form with { Digest = "again" }) : layer)]));

        JointCost Run(EvaluationCache cache, IReadOnlyList<(string, LayerForm)> choice) =>
            new JointRun(source, model, new(Windows, IsText: true, []), cache).Measure([choice], null, CancellationToken.None)[0];
    }

    private List<(string Tensor, LayerForm Form)> Choice() =>
        [.. packed.Names.Where(name => packed[name].Codec != "keep").Select(name => (name, new LayerForm(1, 0.03, "form of " + name, () => packed[name])))];

    private JointCost[] Measure(bool isText, params IReadOnlyList<(string, LayerForm)>[] choices) =>
        new JointRun(source, model, new(Windows, isText, []), cache: null).Measure(choices, null, CancellationToken.None);
}
