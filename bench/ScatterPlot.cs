using System.Globalization;
using System.Text;

namespace Compress.Bench;

/// <summary>A plot of points over two logarithmic axes of one scale, with the line on which both are equal: SVG.</summary>
internal static class ScatterPlot
{
    private const int Size = 420, Margin = 60;

    /// <summary>The SVG's text.</summary>
    /// <param name="title">Above.</param>
    /// <param name="x">Name of the horizontal axis.</param>
    /// <param name="y">Name of the vertical axis.</param>
    /// <param name="points">Those that are not positive are left out; filled or not.</param>
    public static string Create(string title, string x, string y, IReadOnlyList<(double X, double Y, bool Filled)> points)
    {
        var shown = points.Where(point => point is { X: > 0, Y: > 0 }).ToList();
        double least = Math.Floor(Math.Log10(shown.Min(point => Math.Min(point.X, point.Y)))), most = Math.Ceiling(Math.Log10(shown.Max(point => Math.Max(point.X, point.Y))));
        var svg = new StringBuilder();
        svg.Append(Text($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Size + (2 * Margin)} {Size + (2 * Margin)}\" font-family=\"sans-serif\" font-size=\"13\">\n"));
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        for (double power = least; power <= most; power++)
        {
            double at = Place(Math.Pow(10, power));
            svg.Append(Text($"<path d=\"M{Margin + at:0.#} {Margin} v{Size} M{Margin} {Margin + Size - at:0.#} h{Size}\" stroke=\"#ddd\"/>"));
            svg.Append(Text($"<text x=\"{Margin + at:0.#}\" y=\"{Margin + Size + 18}\" text-anchor=\"middle\">1e{power}</text>"));
            svg.Append(Text($"<text x=\"{Margin - 6}\" y=\"{Margin + Size - at + 4:0.#}\" text-anchor=\"end\">1e{power}</text>\n"));
        }

        svg.Append(Text($"<path d=\"M{Margin} {Margin + Size} L{Margin + Size} {Margin}\" stroke=\"#888\"/>\n"));
        foreach (var (px, py, filled) in shown)
        {
            svg.Append(Text($"<circle cx=\"{Margin + Place(px):0.#}\" cy=\"{Margin + Size - Place(py):0.#}\" r=\"5\" fill=\"{(filled ? "#0072b2" : "white")}\" stroke=\"#0072b2\" stroke-width=\"2\"/>\n"));
        }

        svg.Append(Text($"<text x=\"{Margin + (Size / 2)}\" y=\"30\" text-anchor=\"middle\" font-size=\"15\">{title}</text>"));
        svg.Append(Text($"<text x=\"{Margin + (Size / 2)}\" y=\"{Margin + Size + 42}\" text-anchor=\"middle\">{x}</text>"));
        svg.Append(Text($"<text transform=\"translate(16 {Margin + (Size / 2)}) rotate(-90)\" text-anchor=\"middle\">{y}</text>\n</svg>\n"));
        return svg.ToString();

        double Place(double value) => (Math.Log10(value) - least) / (most - least) * Size;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
