using Compress.Build.Tests.Infra;
using Microsoft.Build.Logging.StructuredLogger;

namespace Compress.Build.Tests.Checklist;

/// <summary>INC: one change after the other, and what each concerns.</summary>
public sealed class ManyChanges
{
    [Fact]
    public void INC_06_WhateverChangesOnlyTheModelsThatItConcernsAreCompressed()
    {
        using var library = new TestProject("Library", "", "", body: """<Import Project="models.props" />""");
        void Models(params string[] items) => library.Write(
            "models.props", $"<Project><ItemGroup>{string.Concat(items.Select(item => $"<CompressedModel Include={item} />"))}</ItemGroup></Project>");
        string[] Compressed(params string[] arguments) => library.Build(arguments).MustSucceed().EngineRuns == 0 ? [] : [.. library.LastRequest()];

        foreach (string name in new[] { "a", "b", "c" })
        {
            Weights.Write(library.PathOf(name + ".safetensors"), (Weights.Norm, [64], new float[64]));
            library.Write(name + ".compress.yaml", "version: 1\nmethod: uniform\n");
        }

        Models("\"a.safetensors\"", "\"b.safetensors\"");
        Assert.Equal(["a.safetensors", "b.safetensors"], Compressed());

        // an item more, and another's recipe
        Models("\"a.safetensors\"", "\"b.safetensors\"", "\"c.safetensors\"");
        library.Write("b.compress.yaml", "version: 1\nmethod: higgs\n");
        Assert.Equal(["b.safetensors", "c.safetensors"], Compressed());

        // metadata that the packed bytes depend on, and metadata that only the class depends on
        Models("\"a.safetensors\" ClassName=\"Other\"", "\"b.safetensors\"", "\"c.safetensors\" Recipe=\"a.compress.yaml\"");
        Assert.Equal(["c.safetensors"], Compressed());
        Assert.Equal(["Library.B.g.cs", "Library.C.g.cs", "Library.Other.g.cs"], library.Files("obj/Debug/net10.0/compress", "*.g.cs").Select(Path.GetFileName).Order());

        // an item less, and a file renamed
        File.Move(library.PathOf("a.safetensors"), library.PathOf("d.safetensors"));
        Models("\"c.safetensors\" Recipe=\"a.compress.yaml\"", "\"d.safetensors\"");
        Assert.Equal(["d.safetensors"], Compressed());
        Assert.Equal(["Library.C.g.cs", "Library.D.g.cs"], library.Files("obj/Debug/net10.0/compress", "*.g.cs").Select(Path.GetFileName).Order());

        // a property that the engine uses
        Assert.Equal(["c.safetensors", "d.safetensors"], Compressed("-p:CompressCacheSalt=other"));

        // another engine
        string engine = Path.Combine(TestRun.Current.Packages, "compress.tasks", TestRun.Current.Version, "tools", "net10.0", "any");
        string upgraded = Directory.CreateDirectory(Path.Combine(library.Solution, "engine")).FullName;
        foreach (string file in Directory.GetFiles(engine))
        {
            File.Copy(file, Path.Combine(upgraded, Path.GetFileName(file)));
        }

        Assert.Equal(["c.safetensors", "d.safetensors"], Compressed("-p:CompressCacheSalt=other", "-p:_CompressEnginePath=" + Path.Combine(upgraded, "compress.dll")));
    }

    [Fact]
    public void INC_11_OtherWeightsCompileNoProjectThatReferencesThem()
    {
        using var library = new TestProject("Library", """<CompressedModel Include="a.safetensors" Access="Public" />""", "");
        var user = new TestProject("User", """<ProjectReference Include="../Library/Library.csproj" />""", "", library.Solution);
        Weights.Write(library.PathOf("a.safetensors"));
        user.Write("Class.cs", "public static class Class { public static object Get() => Library.A.Load(); }");
        user.Build().MustSucceed();

        Weights.Write(library.PathOf("a.safetensors"), norm: 2.5f);
        var compiled = Assert.Single(user.Build().MustSucceed().All<Microsoft.Build.Logging.StructuredLogger.Task>("Csc"));
        Assert.Equal("Library.csproj", compiled.GetNearestParent<Project>().Name);
    }
}
