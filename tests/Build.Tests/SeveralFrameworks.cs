using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests;

/// <summary>A library for two frameworks.</summary>
public sealed class SeveralFrameworks
{
    [Fact]
    public void ModelIsCompressedOnceAndCleanedOnce()
    {
        using var library = new TestProject(
            "Library",
            """<CompressedModel Include="tiny.safetensors" />""",
            "<TargetFramework></TargetFramework><TargetFrameworks>net10.0;net10.0-windows</TargetFrameworks><EnableWindowsTargeting>true</EnableWindowsTargeting><DisableTransitiveFrameworkReferenceDownloads>true</DisableTransitiveFrameworkReferenceDownloads>");
        Weights.Write(library.PathOf("tiny.safetensors"));
        library.Write("Class.cs", "namespace Library; static class Class { public static Tiny Get() => Tiny.Load(); }");

        var build = library.Build("-m:2").MustSucceed();
        Assert.Equal(2, build.Compilations);
        Assert.Equal(1, build.EngineRuns);
        Assert.Equal(2, library.Files("bin", "Library.dll").Count);

        var rebuild = library.Build("-t:Rebuild").MustSucceed();
        Assert.Equal(2, rebuild.Compilations);
        Assert.Equal(1, rebuild.EngineRuns);

        library.Run("clean").MustSucceed();
        Assert.Empty(library.Files("obj/compress", "*"));
    }

    [Fact]
    public void IsolatedGraphBuildsAndMultithreadedBuilds()
    {
        using var app = new TestProject("App", """<CompressedModel Include="tiny.safetensors" />""");
        Weights.Write(app.PathOf("tiny.safetensors"));
        app.Write("Program.cs", "Console.WriteLine(App.Tiny.Load().Packed.Names.Count);");
        app.Restore();

        Assert.Equal(1, app.Build("-graph", "-isolate").MustSucceed().EngineRuns);
        app.Run("clean").MustSucceed();
        Assert.Equal(1, app.Build("-mt").MustSucceed().EngineRuns);
        Assert.Equal("3", app.RunApp());
    }
}
