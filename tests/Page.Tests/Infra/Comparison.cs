using System.Text;
using System.Text.Json;
using Compress.Cli.Tests.Infra;

namespace Compress.Page.Tests.Infra;

/// <summary>What <c>compress compare</c> writes about a real language model: the page, and the JSON that it is compared with.</summary>
public sealed class Comparison : IDisposable
{
    /// <summary>Recipes of very different and of nearly the same size, some of which others beat in both.</summary>
    private static readonly (string Name, string Text)[] Recipes =
    [
        ("two.yaml", "bits: 2"),
        ("three.yaml", "bits: 3"),
        ("four.yaml", "bits: 4"),
        ("four-pairs.yaml", "bits: 4\np: 2"),
        ("uniform-four.yaml", "method: uniform\nbits: 4"),
        ("uniform-four-channel.yaml", "method: uniform\nbits: 4\ngranularity: channel"),
        ("mixed.yaml", "bits: 4\nlayers:\n  - match: model.embed_tokens.weight\n    method: uniform\n    bits: 8"),
        ("eight.yaml", "bits: 8"),
    ];

    private readonly string folder = Directory.CreateTempSubdirectory("compress page tést ").FullName;

    public Comparison()
    {
        if (BrowserTests.WhyNot is not null)
        {
            return;
        }

        string assets = Path.Combine(AppContext.BaseDirectory, "assets");
        List<string> arguments =
        [
            "compare", Path.Combine(assets, "stories260K", "model.safetensors"), "--text", Path.Combine(assets, "held-out.txt"),
            "--unit", "paragraph", "--window", "65", "--limit", "8", "--cache", "cache", "--html", "page.html", "--report", "page.json",
        ];
        foreach (var (name, text) in Recipes)
        {
            File.WriteAllText(Path.Combine(folder, name), text);
            arguments.AddRange("--recipe", name);
        }

        var (exitCode, output, error) = CliProcess.Run(folder, [.. arguments]);
        Assert.True(exitCode == 0, error);
        Table = Encoding.UTF8.GetString(output);
        Report = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "page.json"))).RootElement;
    }

    /// <summary>The page.</summary>
    public string Page => Path.Combine(folder, "page.html");

    /// <summary>The JSON.</summary>
    public JsonElement Report { get; }

    /// <summary>What was printed.</summary>
    public string Table { get; } = "";

    /// <summary>The recipes in the JSON.</summary>
    public JsonElement[] InReport => [.. Report.GetProperty("recipes").EnumerateArray()];

    /// <summary>A file in a folder that is removed at the end.</summary>
    public string this[string name] => Path.Combine(folder, name);

    public void Dispose() => Directory.Delete(folder, recursive: true);
}

/// <summary>Shorter ways to what stands in JSON.</summary>
internal static class Json
{
    public static double Number(this JsonElement element, string name) => element.GetProperty(name).GetDouble();

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    /// <summary>The layers that were compressed.</summary>
    public static JsonElement[] Compressed(this JsonElement recipe) =>
        [.. recipe.GetProperty("layers").EnumerateArray().Where(layer => layer.Text("cache") != "kept")];
}
