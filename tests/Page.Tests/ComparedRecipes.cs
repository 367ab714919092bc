using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Compress.Page.Tests.Infra;

namespace Compress.Page.Tests;

/// <summary>The page that <c>compress compare</c> wrote: what it shows is what the JSON says.</summary>
[Collection(nameof(BrowserTests))]
public sealed class ComparedRecipes(Browser browser, Comparison comparison)
{
    [BrowserFact]
    public async Task TableHasTheNumbersOfTheReport()
    {
        await using var page = await browser.Open(comparison.Page);
        Assert.Equal("model", await page.Text("h1"));
        double source = comparison.Report.Number("perplexity");
        string tokens = comparison.Report.GetProperty("evaluation").Number("tokens").ToString("N0", CultureInfo.InvariantCulture);
        Assert.EndsWith(
            $"; perplexity {Fixed(source, 4)} unquantized, on {tokens} tokens of held-out.txt (paragraph, window 65, stride none, limit 8, with BOS)",
            await page.Text("#about"), StringComparison.Ordinal);
        string[][] rows = await Cells(page);
        Assert.Equal(comparison.InReport.Length, rows.Length);
        foreach (var (row, recipe) in rows.Zip(comparison.InReport))
        {
            double perplexity = recipe.Number("perplexity");
            Assert.Equal(
                [recipe.Text("name"), Fixed(recipe.Number("bitsPerWeight"), 3), Fixed(recipe.Number("relativeError"), 4), Fixed(perplexity, 4),
                    Fixed(((perplexity / source) - 1) * 100, 2) + " %", Fixed(recipe.Number("kl"), 5)],
                [row[0], .. row[2..7]]);
            Assert.InRange(Bytes(row[1]) / recipe.Number("packedBytes"), 0.995, 1.005);
            Assert.Contains($"{row[4]}", comparison.Table, StringComparison.Ordinal);
        }
    }

    [BrowserFact]
    public async Task LayersOfTheChosenRecipeAreBarsOfTheirValues()
    {
        await using var page = await browser.Open(comparison.Page);
        for (int i = 0; i < comparison.InReport.Length; i += 3)
        {
            await page["#recipes tbody tr"].Nth(i).ClickAsync();
            var recipe = comparison.InReport[i];
            Assert.Equal("Layers: " + recipe.Text("name"), await page.Text("#layers-title"));
            var layers = recipe.Compressed();
            string[] names = await page.Run<string[]>("[...document.querySelectorAll('.bars .name')].map(n => n.textContent.replace('\\u200e', ''))");
            Assert.Equal(layers.Select(layer => layer.Text("name")), names);
            await Bars(page, "bits", [.. layers.Select(layer => layer.Number("bitsPerWeight"))], 3);
            await Bars(page, "error", [.. layers.Select(layer => layer.Number("relativeError"))], 4);
        }
    }

    [BrowserFact]
    public async Task ChosenLayerShowsItsHistograms()
    {
        await using var page = await browser.Open(comparison.Page);
        await page["#recipes tbody tr"].Nth(2).ClickAsync();
        var layers = comparison.InReport[2].Compressed();
        await page[".bars .name"].Nth(7).ClickAsync();
        await Shows(layers[7]);
        await page["#layer"].SelectOptionAsync(new Microsoft.Playwright.SelectOptionValue { Label = layers[20].Text("name") });
        await Shows(layers[20]);
        await page["#recipes tbody tr"].Nth(4).ClickAsync(); // the same layer of another recipe
        await Shows(comparison.InReport[4].Compressed()[20]);

        async Task Shows(JsonElement layer)
        {
            long[] shape = [.. layer.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())];
            Assert.Equal($"{layer.Text("name")} [{string.Join(", ", shape)}], {layer.Text("codec")}", await page.Text("#layer-title"));
            Assert.Equal(layer.Text("name"), await page.Run<string>("document.getElementById('layer').selectedOptions[0].textContent"));
            Assert.Equal([layer.Text("name")], await page.Run<string[]>("[...document.querySelectorAll('.bars [aria-pressed=true]')].map(n => n.textContent.replace('\\u200e', ''))"));
            foreach (string kind in (string[])["weights", "errors"])
            {
                var histogram = layer.GetProperty(kind);
                double[] counts = [.. histogram.GetProperty("counts").EnumerateArray().Select(count => count.GetDouble())];
                Assert.Equal(shape.Aggregate(1.0, (a, b) => a * b), counts.Sum());
                string[] titles = await page.Run<string[]>($"[...document.querySelectorAll('#{kind} rect title')].map(t => t.textContent)");
                Assert.Equal(counts, titles.Select(title => Number(title[(title.IndexOf(':', StringComparison.Ordinal) + 1)..])));
                double[] heights = await page.Run<double[]>($"[...document.querySelectorAll('#{kind} rect')].map(r => r.height.baseVal.value)");
                Assert.All(counts.Zip(heights), bar => Assert.Equal(bar.First / counts.Max(), bar.Second / heights.Max(), 1e-4));
                string[] axis = await page.Run<string[]>($"[...document.querySelectorAll('#{kind} text')].map(t => t.textContent)");
                Assert.Equal(histogram.Number("min"), Number(axis[0]), 1e-2 * Math.Abs(histogram.Number("min")));
                Assert.Equal(histogram.Number("max"), Number(axis[2]), 1e-2 * Math.Abs(histogram.Number("max")));
            }
        }
    }

    [BrowserFact]
    public async Task PointsLieBySizeAndPerplexityAndTheFrontJoinsTheBest()
    {
        await using var page = await browser.Open(comparison.Page);
        var points = await page.Run<Point[]>(
            "[...document.querySelectorAll('#front circle')].map(c => ({ Recipe: +c.dataset.recipe, X: c.cx.baseVal.value, Y: c.cy.baseVal.value }))");
        (double Size, double Perplexity)[] recipes = [.. comparison.InReport.Select(recipe => (recipe.Number("packedBytes"), recipe.Number("perplexity")))];
        Assert.Equal(Enumerable.Range(0, recipes.Length), points.Select(point => point.Recipe));
        Assert.Equal(Order(recipes.Select(recipe => recipe.Size)), Order(points.Select(point => point.X)));
        Assert.Equal(Order(recipes.Select(recipe => recipe.Perplexity)), Order(points.Select(point => -point.Y)));

        int[] front = [.. Enumerable.Range(0, recipes.Length)
            .Where(i => recipes.All(other => other == recipes[i] || other.Size > recipes[i].Size || other.Perplexity > recipes[i].Perplexity))
            .OrderBy(i => recipes[i].Size)];
        Assert.InRange(front.Length, 2, recipes.Length - 1);
        Assert.Equal(string.Join(' ', front), await page["#pareto"].GetAttributeAsync("data-recipes"));

        // The source's line lies below all points: nothing that was packed predicts better.
        double line = await page.Run<double>("document.getElementById('unquantized').y1.baseVal.value");
        Assert.Equal(recipes.Select(recipe => recipe.Perplexity > comparison.Report.Number("perplexity")), points.Select(point => point.Y < line));
    }

    [BrowserFact]
    public async Task PointsAndKeysChooseARecipe()
    {
        await using var page = await browser.Open(comparison.Page);
        await page["#front circle[data-recipe='1']"].ClickAsync();
        Assert.Equal("Layers: three.yaml", await page.Text("#layers-title"));
        Assert.Equal("three.yaml", await page["#recipes tr[aria-selected=true] td"].First.TextContentAsync());
        await page["#recipes tbody tr"].Nth(2).FocusAsync();
        await page.Page.Keyboard.PressAsync("Enter");
        Assert.Equal("Layers: four.yaml", await page.Text("#layers-title"));
        Assert.Equal("four.yaml", await page.Run<string>("document.activeElement.cells[0].textContent")); // where the user was
    }

    [BrowserTheory]
    [InlineData(1200)]
    [InlineData(700)]
    [InlineData(360)]
    public async Task LabelsOfPointsCoverNothing(int width)
    {
        await using var page = await browser.Open(comparison.Page, width);
        var labels = await page.Run<Box[]>(
            "[...document.querySelectorAll('#front .label')].map(t => { const b = t.getBBox(); return { Text: t.textContent, X: b.x, Y: b.y, Width: b.width, Height: b.height } })");
        Assert.Equal(comparison.InReport.Select(recipe => recipe.Text("name")).Order(), labels.Select(label => label.Text).Order());
        var canvas = await page.Run<Box>("(() => { const b = document.getElementById('front').viewBox.baseVal; return { X: 0, Y: 0, Width: b.width, Height: b.height } })()");
        foreach (var (label, i) in labels.Select((label, i) => (label, i)))
        {
            Assert.True(label.X >= 0 && label.X + label.Width <= canvas.Width && label.Y >= 0 && label.Y + label.Height <= canvas.Height, $"{label} leaves {canvas}");
            Assert.All(labels[(i + 1)..], other => Assert.False(label.Covers(other), $"{label} and {other}"));
        }
    }

    [BrowserFact]
    public async Task CacheSaysWhatCameFromIt()
    {
        await using var page = await browser.Open(comparison.Page);
        for (int i = 0; i < comparison.InReport.Length; i++)
        {
            await page["#recipes tbody tr"].Nth(i).ClickAsync();
            var recipe = comparison.InReport[i];
            double hits = recipe.Number("cacheHits"), misses = recipe.Number("cacheMisses"), kept = recipe.GetProperty("layers").GetArrayLength() - hits - misses;
            Assert.Equal($"{hits} layers cached, {misses} encoded, {kept} tensors kept", await page.Text("#cache-text"));
            double[] widths = await page.Run<double[]>("[...document.querySelectorAll('#cache rect')].map(r => r.width.baseVal.value)");
            Assert.All(widths.Zip([hits, misses, kept]), part => Assert.Equal(part.Second / (hits + misses + kept), part.First / widths.Sum(), 1e-4));
        }

        Assert.Equal(35, comparison.InReport[6].Number("cacheHits")); // all of four.yaml's but the embedding
    }

    private static async Task Bars(OpenPage page, string kind, double[] values, int digits)
    {
        Assert.Equal(values.Select(value => Fixed(value, digits)), await page.Run<string[]>($"[...document.querySelectorAll('.bar.{kind}')].map(b => b.textContent)"));
        double[] parts = await page.Run<double[]>(
            $"[...document.querySelectorAll('.bar.{kind}')].map(b => b.querySelector('i').getBoundingClientRect().width / b.getBoundingClientRect().width)");
        Assert.All(values.Zip(parts), bar => Assert.Equal(bar.First / values.Max(), bar.Second, 1e-3));
    }

    private static Task<string[][]> Cells(OpenPage page) =>
        page.Run<string[][]>("[...document.querySelectorAll('#recipes tbody tr')].map(r => [...r.cells].map(c => c.textContent))");

    private static string Fixed(double value, int digits) => value.ToString("F" + digits, CultureInfo.InvariantCulture);

    private static double Number(string text) => double.Parse(text, NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    private static double Bytes(string text) =>
        Number(text[..text.IndexOf(' ', StringComparison.Ordinal)]) * text[(text.IndexOf(' ', StringComparison.Ordinal) + 1)..] switch { "kB" => 1e3, "MB" => 1e6, _ => 1 };

    private static IEnumerable<int> Order(IEnumerable<double> values) => values.Select((value, i) => (value, i)).OrderBy(item => item.value).Select(item => item.i);

    private sealed record Point
    {
        public int Recipe { get; set; }

        public double X { get; set; }

        public double Y { get; set; }
    }

    private sealed record Box
    {
        public string Text { get; set; } = "";

        public double X { get; set; }

        public double Y { get; set; }

        public double Width { get; set; }

        public double Height { get; set; }

        public bool Covers(Box other) => X < other.X + other.Width && other.X < X + Width && Y < other.Y + other.Height && other.Y < Y + Height;
    }
}
