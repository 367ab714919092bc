using Compress.Core.Allocation;

namespace Compress.Core.Tests.Allocation;

public class LayerCostTests
{
    [Fact]
    public void FormsWithErrorsThatAreNotSmallAreProbed() =>
        Assert.Equal(["3", "4", "5"], LayerCost.Probed(Layer((6, 0.0006), (5, 0.0025), (4, 0.0095), (3, 0.034))).Select(form => form.Digest).Order());

    [Fact]
    public void OfSmallErrorsTheLargestIsProbed() => Assert.Equal(["7"], LayerCost.Probed(Layer((8, 0.00004), (7, 0.00016), (32, 0))).Select(form => form.Digest));

    // 4.5 bits with more error than 4; no error at all costs nothing.
    [Fact]
    public void FormsThatOthersBeatAreNot() =>
        Assert.Equal(["3", "4"], LayerCost.Probed(Layer((4.5, 0.02), (4, 0.0095), (3, 0.034), (16, 0))).Select(form => form.Digest).Order());

    [Fact]
    public void CostsAreThoseMeasuredAndElseInProportion()
    {
        var layer = Layer((2, 0.1), (3, 0.03), (4, 0.01), (6, 0.0005), (32, 0));
        var cost = LayerCost.Of(layer, Probes(("2", 0.1, 0.5), ("3", 0.03, 0.06), ("4", 0.01, 0.02)));
        Assert.Equal(2, cost.Sensitivity.Alpha, 1e-12); // of 3 and 4 bits: 2 bits are beyond the line
        Assert.Equal([0.5, 0.06, 0.02, 0.001, 0], cost.Costs.Select(value => Math.Round(value, 12)));
    }

    // In proportion it would cost 0.015, less than what is both smaller and nearer to the source.
    [Fact]
    public void AFormThatAnotherBeatsCostsNoLess()
    {
        var cost = LayerCost.Of(Layer((4, 0.01), (4.5, 0.015), (3, 0.03)), Probes(("4", 0.01, 0.018), ("3", 0.03, 0.024)));
        Assert.True(cost.Costs[1] >= 0.018);
    }

    [Fact]
    public void ForNoiseAllCostsAreInProportion()
    {
        var cost = LayerCost.Of(Layer((2, 0.1), (4, 0.01)), Probes(("noise 1", 0.004, 0.012), ("noise 2", 0.008, 0.024)));
        Assert.Equal([0.3, 0.03], cost.Costs.Select(value => Math.Round(value, 12)));
    }

    [Fact]
    public void NegativeCostsCountAsNothing()
    {
        var cost = LayerCost.Of(Layer((3, 0.03), (4, 0.01), (6, 0.0005)), Probes(("3", 0.03, -0.02), ("4", 0.01, 0.001)));
        Assert.True(cost.Sensitivity.Clamped);
        Assert.Equal([0, 0.001, 0], cost.Costs);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void ADestroyedModelCostsMoreThanAnyThatWorks(double measured)
    {
        var cost = LayerCost.Of(Layer((1, 0.3), (3, 0.03)), Probes(("1", 0.3, measured), ("3", 0.03, 0.06)));
        Assert.Equal(2, cost.Sensitivity.Alpha, 1e-12);
        Assert.InRange(cost.Costs[0], 1e5, 1e9);
        Assert.All(LayerCost.Of(Layer((1, 0.3)), Probes(("1", 0.3, measured))).Costs, value => Assert.InRange(value, 1e3, 1e9));
    }

    [Fact]
    public void WithoutProbesNothingCosts() => Assert.Equal([0], LayerCost.Of(Layer((4, 0.01)), Probes()).Costs);

    private static LayerForms Layer(params (double Bits, double Mse)[] forms) =>
        new(null!, 1, [.. forms.Select(form => new LayerForm((long)(form.Bits * 10), form.Mse, form.Bits.ToString(System.Globalization.CultureInfo.InvariantCulture), () => throw new InvalidOperationException()))]);

    private static Dictionary<string, (double, double, double)> Probes(params (string Digest, double Mse, double Cost)[] probes) =>
        probes.ToDictionary(probe => probe.Digest, probe => (probe.Mse, probe.Cost, 0.0));
}
