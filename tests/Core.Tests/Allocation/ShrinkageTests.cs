using Compress.Core.Allocation;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Allocation;

public sealed class ShrinkageTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly ModelFile model;

    public ShrinkageTests()
    {
        new TestModel().AddGaussian("a", 8, 8, 1).Write(folder["m.safetensors"]);
        model = ModelFile.Open(folder["m.safetensors"]);
    }

    public void Dispose()
    {
        model.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void NotAtAllChangesNothing()
    {
        var layers = Layers(2);
        var costs = Costs(layers, 2, 5);
        Assert.Same(costs, Shrinkage.Shrink(layers, costs, 0));
    }

    // With the same errors at the same bits in all layers a weight then costs the same in each: no layer gets another width than the others.
    [Fact]
    public void FullyTheErrorsOfEveryLayerCostTheSame()
    {
        var layers = Layers(3);
        var shrunk = Shrinkage.Shrink(layers, Costs(layers, 0.01, 1, 50), 1);
        Assert.All(shrunk, cost => Assert.Equal(shrunk[0].Costs, cost.Costs));
        Assert.Equal(layers[0].Forms.Select(form => form.RelativeMse * layers[0].Tensor.Count), shrunk[0].Costs.Select(cost => Math.Round(cost, 9)));
    }

    // The geometric mean of 4 · 0.04 and 64 · 0.04.
    [Fact]
    public void HalfwayIsTheGeometricMean()
    {
        var layers = Layers(1);
        Assert.Equal(Math.Sqrt(4 * 0.04 * 64 * 0.04), Shrinkage.Shrink(layers, Costs(layers, 4), 0.5)[0].Costs[0], 1e-9);
    }

    [Fact]
    public void WhatChanceMadeNothingIsTheLeastThatAnotherCosts()
    {
        var layers = Layers(2);
        var costs = Costs(layers, 4, 0);
        costs = [costs[0], costs[1] with { Sensitivity = new(0, 0.1, Clamped: true) }];
        Assert.Equal(Math.Sqrt(4 * 0.01 * 64 * 0.04), Shrinkage.Shrink(layers, costs, 0.5)[1].Costs[0], 1e-9);
    }

    [Fact]
    public void LayersThatTheModelDoesNotComputeWithCostNothing()
    {
        var layers = Layers(2);
        Assert.All(Shrinkage.Shrink(layers, Costs(layers, 4, 0), 0.5)[1].Costs, cost => Assert.Equal(0, cost));
    }

    [Fact]
    public void NoErrorCostsNothing()
    {
        var layers = Layers(1);
        layers = [layers[0] with { Forms = [.. layers[0].Forms, new LayerForm(9, 0, "keep", null!)] }];
        Assert.Equal(0, Shrinkage.Shrink(layers, Costs(layers, 4), 0.75)[0].Costs[^1]);
    }

    private List<LayerForms> Layers(int count) => [.. Enumerable.Range(0, count).Select(_ =>
        new LayerForms(model["a"], 1, [new LayerForm(3, 0.04, "3", null!), new LayerForm(4, 0.01, "4", null!)]))];

    private static IReadOnlyList<LayerCost> Costs(List<LayerForms> layers, params double[] alphas) => [.. layers.Zip(alphas, (layer, alpha) => LayerCost.InProportion(alpha, layer))];
}
