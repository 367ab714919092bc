using System.Text;
using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Recipes;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.LanguageModels;

namespace Compress.Core.Tests.Calibration;

/// <summary>A Llama of one layer, a text, and a method that needs what it is told to need.</summary>
public abstract class RecipeStatisticsTest : IDisposable
{
    private protected const string Query = "model.layers.0.self_attn.q_proj.weight", Key = "model.layers.0.self_attn.k_proj.weight", Down = "model.layers.0.mlp.down_proj.weight";

    private protected static readonly string Rules = $"method: needy\nlayers:\n- match: [{Query}, {Key}, {Down}, model.embed_tokens.weight]\n  kinds: 1\n- match: '*'\n  keep: source\n";

    private protected TinyLlama Llama { get; } = new();
    private protected DiagnosticBag Diagnostics { get; } = new();
    private protected Steps Progress { get; } = new();
    private readonly List<IDisposable> open = [];

    protected RecipeStatisticsTest()
    {
        Llama.Write();
        File.WriteAllText(Text, string.Join(' ', Enumerable.Range(0, 40).Select(i => i * i % 10)));
    }

    private protected string Text => Path.Combine(Llama.Folder, "t.ids");

    private protected string StatisticsPath => Path.Combine(Llama.Folder, "s.safetensors");

    private protected string CachePath => Path.Combine(Llama.Folder, "cache");

    public void Dispose()
    {
        open.ForEach(item => item.Dispose());
        Llama.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected void Calibrate()
    {
        using var source = ModelFile.Open(Llama.Folder);
        ModelCalibration.Write(source, new CalibrationSettings(Text), StatisticNames.AllKinds, null, StatisticsPath, Diagnostics, null, CancellationToken.None);
    }

    private protected void Spoil(string tensor, Action<float[]> change)
    {
        using var source = ModelFile.Open(Llama.Folder);
        var spoilt = new TestModel();
        foreach (var (name, shape) in Llama.Shapes)
        {
            float[] values = new float[source[name].Count];
            source[name].ReadRows(0, source[name].Rows, values);
            if (name == tensor)
            {
                change(values);
            }

            spoilt.Add(name, shape, values);
        }

        source.Dispose();
        spoilt.Write(Llama.WeightsFile);
    }

    private protected IStatisticsSource? Open(string recipeText) => Open(recipeText, new LayerCache(CachePath));

    private protected IStatisticsSource? Open(string recipeText, LayerCache? cache)
    {
        File.WriteAllText(Path.Combine(Llama.Folder, "t.txt"), " ");
        var recipe = RecipeReader.Parse(Encoding.UTF8.GetBytes(recipeText), Path.Combine(Llama.Folder, "compress.yaml"), Diagnostics, [new NeedyMethod()])!;
        var model = ModelFile.Open(Llama.Folder);
        var store = new LayerStore(cache, Path.Combine(Llama.Folder, "out"), Diagnostics);
        open.AddRange([model, store]);
        return PlanStatistics.Open(recipe, Plan.Make(recipe, model.Header, Diagnostics), model, store, Diagnostics);
    }

    private protected LayerStatistics? Read(IStatisticsSource source, string tensor)
    {
        Progress.Stages = 0;
        var need = new StatisticNeed(tensor, StatisticKinds.InputSecondMoments);
        source.Prepare([need], Progress, CancellationToken.None);
        return source.Read(need, CancellationToken.None);
    }

    /// <summary>How many windows went through the last stage.</summary>
    private protected sealed class Steps : IProgress<CalibrationProgress>
    {
        public long Stages { get; set; }

        public void Report(CalibrationProgress value) => Stages = value.Total / 2; // embedding and layer
    }
}
