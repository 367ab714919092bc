using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Calibration;

/// <summary>Statistics that tests/assets/calibration/golden.py computed with PyTorch in float64 and wrote in the documented layout.</summary>
public class GoldenStatistics
{
    [Theory]
    [InlineData("llama", 32, 15)]
    [InlineData("gpt2", 32, 9)]
    [InlineData("opt-post", 32, 15)]
    [InlineData("stories260K", 256, 4)]
    public void AgreeWithPyTorch(string name, int window, int layers)
    {
        string path = name == "stories260K" ? Assets.Stories : Path.Combine(Assets.LanguageModels, name);
        using var folder = new TempFolder();
        using var model = ModelFile.Open(path);
        var settings = new CalibrationSettings(Path.Combine(Assets.Calibration, name + ".ids")) { Window = window };
        ModelCalibration.Write(model, settings, StatisticNames.AllKinds, null, folder["s.safetensors"], new DiagnosticBag(), null, CancellationToken.None);

        using var actual = StatisticsFile.Open(folder["s.safetensors"]);
        using var expected = StatisticsFile.Open(Path.Combine(Assets.Calibration, name + ".safetensors"));
        Assert.Equal(layers, expected.Header.Layers.Count);
        if (name != "stories260K") // of which the file has a few
        {
            Assert.Equal(expected.Header.Layers.Keys.Order(StringComparer.Ordinal), actual.Header.Layers.Keys.Order(StringComparer.Ordinal));
        }

        Assert.Equal(expected.Header.Tokens, actual.Header.Tokens);
        foreach (string layer in expected.Header.Layers.Keys)
        {
            Assert.Equal(expected.Header.Layers[layer].Transposed, actual.Header.Layers[layer].Transposed);
            double[] moments = Read(expected, layer, StatisticKinds.InputSecondMoments), ours = Read(actual, layer, StatisticKinds.InputSecondMoments);
            double[] means = Read(expected, layer, StatisticKinds.InputMeans), ourMeans = Read(actual, layer, StatisticKinds.InputMeans);
            // Relative to the inputs' size: one that is seldom other than zero has the rounding of the sum that it comes from.
            double meanSquare = Enumerable.Range(0, means.Length).Average(i => moments[(i * means.Length) + i]);
            double Size(int i) => Math.Sqrt(Math.Max(moments[(i * means.Length) + i], meanSquare));
            for (int i = 0; i < means.Length; i++)
            {
                Assert.Equal(means[i], ourMeans[i], 1e-5 * Size(i));
                for (int j = 0; j < means.Length; j++)
                {
                    Assert.Equal(moments[(i * means.Length) + j], ours[(i * means.Length) + j], 1e-5 * Size(i) * Size(j));
                    Assert.Equal(ours[(i * means.Length) + j], ours[(j * means.Length) + i]);
                }
            }
        }

        foreach (var (kind, kindName) in StatisticNames.Of(~StatisticNames.OfInputs))
        {
            Close(expected, actual, kind, kindName, expectedLayers: name is "llama" or "gpt2" ? kind switch
            {
                StatisticKinds.HiddenGradients or StatisticKinds.SquaredGradients => layers - 1, // not the head: it has none, and is an embedding too
                _ => layers,
            } : 0);
        }
    }

    // Squares have twice the error of what is squared, and a gradient that of the activations it is made of: relative to the layer's greatest.
    private static void Close(StatisticsFile expected, StatisticsFile actual, StatisticKinds kind, string kindName, int expectedLayers)
    {
        string[] there = [.. expected.Header.Layers.Keys.Where(layer => expected.Find(layer, kind, kindName) is not null)];
        Assert.Equal(expectedLayers, there.Length);
        foreach (string layer in there)
        {
            double[] values = Read(expected, layer, kind), ours = Read(actual, layer, kind);
            double greatest = values.Max(Math.Abs);
            Assert.All(values.Zip(ours), pair => Assert.Equal(pair.First, pair.Second, 2e-4 * greatest));
        }

        Assert.Equal(kind == StatisticKinds.HiddenGradients, actual.Find(actual.Header.Head!, kind, kindName) is null);
    }

    private static double[] Read(StatisticsFile file, string layer, StatisticKinds kind)
    {
        var array = file.Find(layer, kind, StatisticNames.Text(kind, ""))!;
        return file.Read(array, kind, array.Shape.ToArray());
    }
}
