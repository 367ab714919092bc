using Compress.Page.Tests.Infra;
using Microsoft.Playwright;

namespace Compress.Page.Tests;

/// <summary>The page in light and dark, on a desk and in a hand, without a network.</summary>
[Collection(nameof(BrowserTests))]
public sealed class AnyScreen(Browser browser, Comparison comparison)
{
    // WCAG 2.2, 1.4.3: level AA for text of ordinary size.
    private const double LeastContrast = 4.5;

    // The least contrast of all texts with what lies behind them (WCAG's formula), and which text that is. Texts of bars are looked at on both grounds.
    private const string WorstContrast = """
        (() => {
          const parse = color => color.match(/[\d.]+/g).map(Number);
          const luminance = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
          const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)]; return (Math.max(x, y) + .05) / (Math.min(x, y) + .05); };
          const opaque = color => { const c = parse(color); return c.length === 3 || c[3] === 1 ? c : null; };
          const behind = node => { for (; node; node = node.parentElement) { const c = opaque(getComputedStyle(node).backgroundColor); if (c) return c; } return [255, 255, 255]; };
          let worst = { Ratio: 99, Text: '', Seen: 0 }, seen = 0;
          for (const node of document.body.querySelectorAll('*')) {
            const text = [...node.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()).join('');
            if (!text || !node.getClientRects().length || ['SCRIPT', 'OPTION', 'title'].includes(node.tagName)) continue;
            const style = getComputedStyle(node), color = parse(node instanceof SVGElement ? style.fill : style.color);
            const grounds = [behind(node)];
            if (node.parentElement.classList.contains('bar')) grounds.push(opaque(getComputedStyle(node.previousElementSibling).backgroundColor));
            for (const ground of grounds) {
              seen++;
              const ratio = contrast(color, ground);
              if (ratio < worst.Ratio) worst = { Ratio: ratio, Text: text };
            }
          }
          return { ...worst, Seen: seen };
        })()
        """;

    [BrowserTheory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task TextStandsOutFromItsGround(ColorScheme scheme)
    {
        await using var page = await browser.Open(comparison.Page, scheme: scheme);
        string ground = await page.Run<string>("getComputedStyle(document.body).backgroundColor");
        Assert.Equal(scheme == ColorScheme.Light ? "rgb(255, 255, 255)" : "rgb(20, 24, 28)", ground);
        var worst = await page.Run<Contrast>(WorstContrast);
        Assert.True(worst.Ratio >= LeastContrast, $"'{worst.Text}' has a contrast of {worst.Ratio:0.00}");
        Assert.InRange(worst.Seen, 200, int.MaxValue); // it did look
    }

    [BrowserTheory]
    [InlineData(360)]
    [InlineData(320)]
    [InlineData(700)]
    [InlineData(1200)]
    public async Task NothingIsWiderThanTheScreen(int width)
    {
        await using var page = await browser.Open(comparison.Page, width);
        Assert.Equal(width, await page.Run<int>("document.documentElement.scrollWidth"));
        Assert.Equal(width, await page.Run<int>("innerWidth")); // a phone zooms out where something is wider
        double smallest = await page.Run<double>(
            "Math.min(...[...document.querySelectorAll('svg')].map(s => s.clientWidth / s.viewBox.baseVal.width * parseFloat(getComputedStyle(s.querySelector('text') ?? document.body).fontSize)))");
        Assert.InRange(smallest, 10.5, 20); // texts of pictures keep their size
    }

    [BrowserFact]
    public async Task TurnedPhoneDrawsAnew()
    {
        await using var page = await browser.Open(comparison.Page, 360);
        await page.Page.SetViewportSizeAsync(800, 360);
        Assert.Equal(800, await page.Run<int>("document.documentElement.scrollWidth"));

        // It is told of its new size after the browser has laid it out, so a busy machine may be looked at too soon.
        await page.Page.WaitForFunctionAsync("Math.abs(document.getElementById('front').clientWidth / document.getElementById('front').viewBox.baseVal.width - 1) < 0.01");
    }

    [BrowserFact]
    public async Task AsksForNothingAndComplainsOfNothing()
    {
        await using var page = await browser.Open(comparison.Page);
        foreach (var row in await page["#recipes tbody tr"].AllAsync())
        {
            await row.ClickAsync();
        }

        await page[".bars .name"].Last.ClickAsync();
        Assert.Equal([new Uri(comparison.Page).AbsoluteUri], page.Requests);
        Assert.Empty(page.Complaints);
    }

    private sealed record Contrast
    {
        public double Ratio { get; set; }

        public string Text { get; set; } = "";

        public int Seen { get; set; }
    }
}
