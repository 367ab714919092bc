using Compress.Core.Compression;
using Compress.Core.Reports.Html;
using Compress.Page.Tests.Infra;

namespace Compress.Page.Tests;

/// <summary>Pages of what no ordinary comparison gives.</summary>
[Collection(nameof(BrowserTests))]
public sealed class OddReports(Browser browser, Comparison comparison)
{
    private const string Hostile = "</script><img src=x onerror=alert(1)><!--<script>";

    [BrowserFact]
    public async Task SeveralModelsAreChosenFromAList()
    {
        await using var page = await Open(Model("first", Recipe("a", 4)), Model("second", Recipe("b", 3)));
        Assert.Equal(("first", "first – compression report", "Layers: a"), (await page.Text("h1"), await page.Page.TitleAsync(), await page.Text("#layers-title")));
        await page["#model"].SelectOptionAsync("1");
        Assert.Equal(("second", "second – compression report", "Layers: b"), (await page.Text("h1"), await page.Page.TitleAsync(), await page.Text("#layers-title")));
        Assert.Equal("3.0000", await page[".bar.bits"].First.TextContentAsync() + "0");
        Assert.Empty(page.Complaints);
    }

    [BrowserFact]
    public async Task NamesAreTextWhateverStandsInThem()
    {
        await using var page = await Open(Model(Hostile, Recipe(Hostile, 4, Hostile)));
        Assert.Equal(Hostile, await page.Text("h1"));
        Assert.Equal(Hostile, await page["#recipes td"].First.TextContentAsync());
        Assert.Equal('\u200e' + Hostile, await page[".bars .name"].First.TextContentAsync());
        Assert.Equal(0, await page["img"].CountAsync());
        Assert.Empty(page.Complaints);
        Assert.Single(page.Requests);
    }

    [BrowserFact]
    public async Task LongNamesStayOnAPhone()
    {
        string name = string.Concat(Enumerable.Repeat("a.very.long.name.of.a.layer.", 8));
        await using var page = await Open(360, Model(name, Recipe(name, 4, name)));
        Assert.Equal(360, await page.Run<int>("document.documentElement.scrollWidth"));
        Assert.Equal(360, await page.Run<int>("innerWidth"));
    }

    [BrowserFact]
    public async Task WithoutATextThereIsNoPlotOfPerplexity()
    {
        var recipe = Recipe("a", 4) with { Perplexity = null, Kl = null };
        await using var page = await Open(Model("m", recipe) with { Perplexity = null, Evaluation = null });
        Assert.False(await page["#front-section"].IsVisibleAsync());
        Assert.EndsWith("; no text was given, so perplexity was not measured", await page.Text("#about"), StringComparison.Ordinal);
        Assert.Equal(["–", "–", "–"], (await page["#recipes td"].AllTextContentsAsync()).Skip(4).Take(3));
        Assert.Empty(page.Complaints);
    }

    [BrowserFact]
    public async Task WhatIsNoNumberIsADash()
    {
        var recipe = Recipe("a", 4) with { Perplexity = double.PositiveInfinity, Kl = double.NaN, RelativeError = double.PositiveInfinity };
        await using var page = await Open(Model("m", recipe, Recipe("b", 4)));
        Assert.Equal(["–", "–", "–", "–"], (await page["#recipes td"].AllTextContentsAsync()).Skip(3).Take(4));
        Assert.Equal(1, await page["#front circle"].CountAsync());
        Assert.Empty(page.Complaints);
    }

    [BrowserFact]
    public async Task ModelWhoseTensorsAreAllKeptHasNoLayersToShow()
    {
        var kept = new PageLayer("norm", [8], "keep", 32, 0, 32, "kept", 0, null, null);
        await using var page = await Open(Model("m", Recipe("a", 32) with { Layers = [kept], CacheMisses = 0 }));
        Assert.False(await page["#layers-section"].IsVisibleAsync());
        Assert.False(await page["#layer-section"].IsVisibleAsync());
        Assert.Equal("0 layers cached, 0 encoded, 1 tensors kept", await page.Text("#cache-text"));
        Assert.Empty(page.Complaints);
    }

    [BrowserFact]
    public async Task TheSameRecipeTwiceIsTwoPointsInOnePlace()
    {
        await using var page = await Open(Model("m", Recipe("a", 4), Recipe("b", 4)));
        Assert.Equal(["a", "b"], (await page["#front .label"].AllTextContentsAsync()).Order());
        Assert.Equal("0 1", await page["#pareto"].GetAttributeAsync("data-recipes"));
    }

    [BrowserFact]
    public async Task BudgetsShowWhatWasPredictedAndMeasured()
    {
        var up = new LayerAllocation("up", 2, 0.1, false, 1020, 0.01, 0.02, 0.02, 0.018) { Measured = new("t", 0.019, 0.021) };
        var down = new LayerAllocation("down", 0, 0.3, true, 4080, 0.034, 0, 0, 0);
        var allocation = new AllocationReport("3 bits per weight", "kl", "grid", "calibration", 0.02, 0.02, 0.018, [down, up]) { Interaction = 1.5, Measured = new("t", 0.03, null) };
        await using var page = await Open(Model("m", Recipe("a", 4) with { Allocation = allocation }));
        Assert.Equal("3 bits per weight, spread by the divergence of predictions on the calibration text: ln perplexity +0.018000 predicted, +0.030000 measured; "
            + "KL 0.020000 predicted on the calibration text, – measured. In 1 of 2 layers t² is above 0.01: together, errors cost 1.50 times the sum of what each costs alone, which predictions count.", await page.Text("#budget-text"));
        Assert.Equal(["up", "0.010000", "2.0000 ± 0.100", "0.020000", "0.021000", "0.018000", "0.019000", "down", "0.034000", "0.0000 (negative)", "0.000000", "–", "0.000000", "–"],
            await page["#budget td"].AllTextContentsAsync());
        Assert.Empty(page.Complaints);
    }

    [BrowserFact]
    public async Task WithoutABudgetThereIsNothingOfIt()
    {
        await using var page = await Open(Model("m", Recipe("a", 4)));
        Assert.False(await page["#budget-section"].IsVisibleAsync());
    }

    [BrowserFact]
    public async Task OfAModelThatCannotBeRunABudgetShowsNoPrediction()
    {
        var layer = new LayerAllocation("up", 123.456, 0, false, 0, 0.01, 1.23, null, null);
        await using var page = await Open(Model("m", Recipe("a", 4) with { Allocation = new AllocationReport("900 bytes", "weights", null, null, 1.23, null, null, [layer]) }));
        Assert.Equal("900 bytes, spread by squared errors of weights.", await page.Text("#budget-text"));
        Assert.Equal(["up", "0.010000", "123.5"], await page["#budget td"].AllTextContentsAsync());
        Assert.Empty(page.Complaints);
    }

    private static PageModel Model(string name, params PageRecipe[] recipes) =>
        new(name, 1000, 4, new("text.txt", 100, "document", 64, null, null, true), recipes);

    private static PageRecipe Recipe(string name, double bits, string layer = "up")
    {
        var histogram = new Histogram(-1, 1, [1, 2, 3, 2]);
        var encoded = new PageLayer(layer, [2, 4], "higgs", bits, 0.1, 4, "miss", 1, histogram, histogram);
        return new(name, (long)(100 * bits), bits, 0.1, 5, 0.01, 10, 0, 1, [encoded, encoded with { Name = "down" }]);
    }

    private Task<OpenPage> Open(params PageModel[] models) => Open(1200, models);

    private async Task<OpenPage> Open(int width, params PageModel[] models)
    {
        string file = comparison[$"{Guid.NewGuid():N}.html"];
        ReportPage.Write(new PageData(models), file);
        return await browser.Open(file, width);
    }
}
