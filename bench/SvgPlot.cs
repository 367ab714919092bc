using System.Globalization;
using System.Security;
using System.Text;

namespace Compress.Bench;

/// <summary>Points of several series in one picture: x linear, y logarithmic.</summary>
internal sealed class SvgPlot(string title, string xLabel, string yLabel)
{
    private const int Width = 760, Height = 460, Left = 70, Right = 20, Top = 40, Bottom = 50;

    private readonly List<Series> all = [];

    /// <summary>Points of one kind.</summary>
    /// <param name="Name">For the legend.</param>
    /// <param name="Color">Such as <c>#1f77b4</c>.</param>
    /// <param name="Joined">True to join them by a line, in order of x.</param>
    /// <param name="Points">Labels may be empty.</param>
    public sealed record Series(string Name, string Color, bool Joined, IReadOnlyList<(double X, double Y, string Label)> Points);

    /// <summary>Adds a series.</summary>
    public void Add(Series series) => all.Add(series);

    /// <summary>The picture.</summary>
    /// <param name="floor">A horizontal line, and where y begins.</param>
    /// <param name="floorLabel">What it is.</param>
    public string Draw(double floor, string floorLabel)
    {
        var points = all.SelectMany(series => series.Points).ToList();
        double minX = Math.Floor(points.Min(p => p.X)), maxX = Math.Ceiling(points.Max(p => p.X));
        double minY = Math.Min(floor, points.Min(p => p.Y)) * 0.995, maxY = points.Max(p => p.Y) * 1.02;
        double X(double x) => Left + ((x - minX) / (maxX - minX) * (Width - Left - Right));
        double Y(double y) => Height - Bottom - (Math.Log(y / minY) / Math.Log(maxY / minY) * (Height - Top - Bottom));

        var svg = new StringBuilder();
        Line($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"12\">");
        Line($"<rect width=\"{Width}\" height=\"{Height}\" fill=\"white\"/>");
        Text(Left, 20, title, "start", "#000", 15);
        Text((Left + Width - Right) / 2.0, Height - 12, xLabel, "middle", "#000", 12);
        Line($"<text transform=\"translate(16 {(Top + Height - Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">{yLabel}</text>");
        for (double x = minX; x <= maxX; x++)
        {
            Line($"<path d=\"M{N(X(x))} {Top}V{Height - Bottom}\" stroke=\"#e5e5e5\"/>");
            Text(X(x), Height - Bottom + 18, N(x), "middle", "#444", 12);
        }

        foreach (double y in Ticks(minY, maxY))
        {
            Line($"<path d=\"M{Left} {N(Y(y))}H{Width - Right}\" stroke=\"#e5e5e5\"/>");
            Text(Left - 6, Y(y) + 4, y.ToString("0.##", CultureInfo.InvariantCulture), "end", "#444", 12);
        }

        Line($"<path d=\"M{Left} {N(Y(floor))}H{Width - Right}\" stroke=\"#000\" stroke-dasharray=\"4 3\"/>");
        Text(Width - Right, Y(floor) - 5, floorLabel, "end", "#000", 12);
        for (int i = 0; i < all.Count; i++)
        {
            var series = all[i];
            var ordered = series.Points.OrderBy(p => p.X).ToList();
            if (series.Joined)
            {
                Line($"<path d=\"M{string.Join('L', ordered.Select(p => $"{N(X(p.X))} {N(Y(p.Y))}"))}\" fill=\"none\" stroke=\"{series.Color}\" stroke-width=\"1.5\"/>");
            }

            foreach (var (x, y, label) in ordered)
            {
                Line($"<circle cx=\"{N(X(x))}\" cy=\"{N(Y(y))}\" r=\"3.5\" fill=\"{series.Color}\"/>");
                Text(X(x) + 6, Y(y) - 5, label, "start", series.Color, 10);
            }

            int row = Top + 16 + (i * 18);
            Line($"<circle cx=\"{Width - 250}\" cy=\"{row - 4}\" r=\"4\" fill=\"{series.Color}\"/>");
            Text(Width - 240, row, series.Name, "start", "#000", 12);
        }

        Line("</svg>");
        return svg.ToString();

        void Line(string text) => svg.Append(text).Append('\n');

        void Text(double x, double y, string text, string anchor, string color, int size)
        {
            if (text.Length > 0)
            {
                Line($"<text x=\"{N(x)}\" y=\"{N(y)}\" text-anchor=\"{anchor}\" fill=\"{color}\" font-size=\"{size}\">{SecurityElement.Escape(text)}</text>");
            }
        }
    }

    private static string N(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    // About eight round numbers in equal ratios: 1, 2, 5 times powers of ten apart, or as many as fit.
    private static IEnumerable<double> Ticks(double min, double max)
    {
        double step = Math.Pow(10, Math.Floor(Math.Log10((max - min) / 4)));
        step *= (max - min) / step > 20 ? 5 : (max - min) / step > 8 ? 2 : 1;
        for (double y = Math.Ceiling(min / step) * step; y <= max; y += step)
        {
            yield return y;
        }
    }
}
