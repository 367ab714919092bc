using System.IO.Compression;
using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests;

/// <summary>A library with two models, one of them a file beside the app; an app that uses the library and one of its models itself.</summary>
public sealed class SeveralProjects
{
    [Fact]
    public void FilesReachTheAppAndLayersAreComputedOnce()
    {
        using var library = new TestProject("Library", """
            <CompressedModel Include="Models/one.safetensors" ClassName="Embedded" Namespace="Some.Models" Access="Public" Recipe="four.yaml" />
            <CompressedModel Include="Models/one.safetensors" ClassName="Beside" Namespace="Some.Models" Access="Public" Recipe="eight.yaml" Storage="File" />
            """, "");
        Weights.Write(library.PathOf("Models/one.safetensors"));
        library.Write("four.yaml", "version: 1\nmethod: uniform\nbits: 4\n");
        library.Write("eight.yaml", "version: 1\nmethod: uniform\nbits: 8\n");
        var app = new TestProject("App", """
            <ProjectReference Include="../Library/Library.csproj" />
            <CompressedModel Include="../Library/Models/one.safetensors" ClassName="Own" Recipe="../Library/four.yaml" />
            """, folder: library.Solution);
        app.Write("Program.cs", $"""
            double[] bits =
            [
                Some.Models.Embedded.Load().Packed["{Weights.Attention}"].BitsPerWeight,
                Some.Models.Beside.Load().Packed["{Weights.Attention}"].BitsPerWeight,
                App.Own.Load().Packed["{Weights.Attention}"].BitsPerWeight,
            ];
            Console.WriteLine(string.Join(' ', bits.Select(b => (int)b)));
            """);

        var build = app.Build().MustSucceed();
        Assert.Equal(2, build.EngineRuns); // one for each project, not for each model
        Assert.Equal("4 8 4", app.RunApp());
        const string File = "Some.Models.Beside.packed.safetensors";
        Assert.Equal(File, Path.GetFileName(Assert.Single(app.Files("bin", "*.safetensors"))));
        Assert.Contains("\"cacheHits\": 2", app.Read(Assert.Single(app.Files("obj/compress", "*.report.json"))).Replace("\":", "\": ").Replace("  ", " "));

        app.Run("publish", "--no-build", "-c", "Debug").MustSucceed();
        Assert.Equal("4 8 4", app.RunApp("bin/Debug/net10.0/publish"));

        library.Run("pack", "--no-build", "-c", "Debug").MustSucceed();
        using var package = ZipFile.OpenRead(Assert.Single(library.Files("bin", "*.nupkg")));
        using var nuspec = new StreamReader(package.GetEntry("Library.nuspec")!.Open());
        string dependencies = nuspec.ReadToEnd();
        Assert.Contains("id=\"Compress.Tasks\"", dependencies);
        Assert.Contains("exclude=\"Build,Analyzers\"", dependencies); // those who use the library compress nothing
    }
}
