using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>
/// Unicode normalization (UAX #15), with tables of its own: .NET leaves that to ICU, does nothing without it, and build machines may have none.
/// </summary>
internal static class UnicodeNormalization
{
    // Hangul syllables are computed (The Unicode Standard, section 3.12).
    private const int SyllableBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TrailBase = 0x11A7;
    private const int Leads = 19;
    private const int Vowels = 21;
    private const int Trails = 28;

    private static readonly Lazy<Tables> Data = new(Tables.Read);

    /// <summary>The text in that form. It holds no lone surrogates.</summary>
    public static string Normalize(string text, NormalizationForm form)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }

        var points = new List<int>(text.Length);
        var decompositions = form is NormalizationForm.FormKC or NormalizationForm.FormKD ? Data.Value.Compatible : Data.Value.Canonical;
        foreach (var rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, decompositions, points);
        }

        Reorder(points);
        if (form is NormalizationForm.FormC or NormalizationForm.FormKC)
        {
            Compose(points);
        }

        var result = new StringBuilder(points.Count);
        foreach (int point in points)
        {
            result.Append(new Rune(point).ToString());
        }

        return result.ToString();
    }

    private static void Decompose(int point, Dictionary<int, int[]> decompositions, List<int> result)
    {
        int syllable = point - SyllableBase;
        if (syllable is >= 0 and < Leads * Vowels * Trails)
        {
            result.Add(LeadBase + (syllable / (Vowels * Trails)));
            result.Add(VowelBase + (syllable / Trails % Vowels));
            if (syllable % Trails > 0)
            {
                result.Add(TrailBase + (syllable % Trails));
            }
        }
        else if (point >= 0x80 && decompositions.TryGetValue(point, out int[]? parts))
        {
            foreach (int part in parts)
            {
                Decompose(part, decompositions, result);
            }
        }
        else
        {
            result.Add(point);
        }
    }

    // Marks between two starters, stably by their class.
    private static void Reorder(List<int> points)
    {
        for (int start = 0; start < points.Count; start++)
        {
            int end = start;
            while (end < points.Count && Class(points[end]) != 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                int[] sorted = [.. points[start..end].OrderBy(Class)];
                for (int i = 0; i < sorted.Length; i++)
                {
                    points[start + i] = sorted[i];
                }
            }

            start = Math.Max(start, end - 1);
        }
    }

    private static void Compose(List<int> points)
    {
        int kept = 0;
        int starter = -1; // the last one's place
        int lastClass = 0; // of what was kept behind it
        for (int i = 0; i < points.Count; i++)
        {
            int point = points[i];
            int combining = Class(point);
            bool adjacent = starter == kept - 1;
            if (starter >= 0 && (adjacent || lastClass < combining) && TryCompose(points[starter], point) is { } composed)
            {
                points[starter] = composed;
                continue;
            }

            starter = combining == 0 ? kept : starter;
            lastClass = combining;
            points[kept++] = point;
        }

        points.RemoveRange(kept, points.Count - kept);
    }

    private static int? TryCompose(int first, int second)
    {
        if (first - LeadBase is >= 0 and < Leads and var lead && second - VowelBase is >= 0 and < Vowels and var vowel)
        {
            return SyllableBase + (((lead * Vowels) + vowel) * Trails);
        }

        if (first - SyllableBase is >= 0 and < Leads * Vowels * Trails and var syllable && syllable % Trails == 0
            && second - TrailBase is > 0 and < Trails and var trail)
        {
            return first + trail;
        }

        return Data.Value.Compositions.TryGetValue((first, second), out int composed) ? composed : null;
    }

    private static int Class(int point) => point < 0x300 ? 0 : Data.Value.Classes.GetValueOrDefault(point);

    /// <summary>decompositions.txt.gz, see decompositions.py.</summary>
    private sealed class Tables
    {
        public Dictionary<int, int> Classes { get; } = [];

        public Dictionary<int, int[]> Canonical { get; } = [];

        public Dictionary<int, int[]> Compatible { get; } = [];

        public Dictionary<(int First, int Second), int> Compositions { get; } = [];

        public static Tables Read()
        {
            var tables = new Tables();
            using var resource = typeof(UnicodeNormalization).Assembly.GetManifestResourceStream("decompositions.txt.gz")!;
            using var reader = new StreamReader(new GZipStream(resource, CompressionMode.Decompress));
            while (reader.ReadLine() is { } line)
            {
                tables.Add(line.Split(' '));
            }

            return tables;
        }

        private void Add(string[] fields)
        {
            if (fields[0] == "#")
            {
                return;
            }

            int point = Hex(fields[1]);
            if (fields[0] == "C")
            {
                Classes.Add(point, int.Parse(fields[2], CultureInfo.InvariantCulture));
                return;
            }

            int[] parts = [.. fields.Skip(2).Select(Hex)];
            Compatible.Add(point, parts);
            if (fields[0] != "~")
            {
                Canonical.Add(point, parts);
            }

            if (fields[0] == "=")
            {
                Compositions.Add((parts[0], parts[1]), point);
            }
        }

        private static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
