namespace Compress.Build.Tests.Infra;

/// <summary>
/// A library with the same model twice, once embedded and once as a file beside the app, and an app that uses both, and one of the models
/// itself. Prints how many bits each has per weight.
/// </summary>
public sealed class LibraryAndApp : IDisposable
{
    /// <summary>The file beside the app.</summary>
    public const string Beside = "Some.Models.Beside.packed.safetensors";

    public LibraryAndApp()
    {
        Library = new TestProject("Library", """
            <CompressedModel Include="Models/one.safetensors" ClassName="Embedded" Namespace="Some.Models" Access="Public" Recipe="four.yaml" />
            <CompressedModel Include="Models/one.safetensors" ClassName="Beside" Namespace="Some.Models" Access="Public" Recipe="eight.yaml" Storage="File" />
            """, "");
        Weights.Write(Library.PathOf("Models/one.safetensors"));
        Library.Write("four.yaml", "version: 1\nmethod: uniform\nbits: 4\n");
        Library.Write("eight.yaml", "version: 1\nmethod: uniform\nbits: 8\n");
        App = new TestProject("App", """
            <ProjectReference Include="../Library/Library.csproj" />
            <CompressedModel Include="../Library/Models/one.safetensors" ClassName="Own" Recipe="../Library/four.yaml" />
            """, folder: Library.Solution);
        App.Write("Program.cs", $"""
            double[] bits =
            [
                Some.Models.Embedded.Load().Packed["{Weights.Attention}"].BitsPerWeight,
                Some.Models.Beside.Load().Packed["{Weights.Attention}"].BitsPerWeight,
                App.Own.Load().Packed["{Weights.Attention}"].BitsPerWeight,
            ];
            Console.WriteLine(string.Join(' ', bits.Select(b => (int)b)));
            """);
    }

    internal TestProject Library { get; }

    internal TestProject App { get; }

    public void Dispose() => Library.Dispose();
}
