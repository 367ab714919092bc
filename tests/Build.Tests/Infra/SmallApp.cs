namespace Compress.Build.Tests.Infra;

/// <summary>A console app that prints a matrix's shape, its bits per weight, and a number of a vector.</summary>
public sealed class SmallApp : IDisposable
{
    public const string Model = "Models/tiny.safetensors";
    public const string Recipe = "Models/compress.yaml";
    public const string Rules = """
        version: 1
        method: uniform
        bits: 4
        layers:
          - match: "*.mlp.*"
            bits: 8

        """;

    public SmallApp()
        : this(null)
    {
    }

    /// <param name="folder">The folder in which the project's is made; a new one if null.</param>
    internal SmallApp(string? folder)
    {
        App = new TestProject("App", $"""<CompressedModel Include="{Model}" />""", folder: folder);
        App.Write("Program.cs", """
            using System.Globalization;
            using App;

            using var model = Tiny.Load();
            var matrix = model.Model.Layers[0].SelfAttn.QProj.Weight;
            float[] norm = new float[64];
            model.Model.Norm.Weight.Dequantize(norm);
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            Console.WriteLine($"{string.Join('x', matrix.Shape.ToArray())}|{matrix.BitsPerWeight}|{norm[63]}");
            """);
    }

    internal TestProject App { get; }

    /// <summary>Starts anew: the same model, the same recipe. What has been built stays.</summary>
    internal TestProject Reset()
    {
        Weights.Write(App.PathOf(Model));
        App.Write(Recipe, Rules);
        File.Delete(App.PathOf("Models/tiny.compress.yaml"));
        return App;
    }

    public void Dispose() => App.Dispose();
}
