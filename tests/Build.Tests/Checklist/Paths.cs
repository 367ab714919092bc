using System.Text.RegularExpressions;
using Compress.Build.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Build.Tests.Checklist;

/// <summary>PTH: folders and files with names that tools trip over. The folders of all tests have spaces, accents, '#', parentheses and an apostrophe.</summary>
public sealed class Paths
{
    [Fact]
    public void PTH_01_NamesMayHoldWhatFileSystemsAllow()
    {
        string folder = Path.Combine(TestRun.Current.NewFolder(), "a @b $c +d & e! ,f =g ~h [i] ^j");
        using var app = new TestProject(
            "App", """<CompressedModel Include="mo dels' (ünï) #1/7b @2 &amp; $x.v1.5.SAFETENSORS" Recipe="re cipe+&amp;'日本'.yaml" />""", folder: folder);
        Weights.Write(app.PathOf("mo dels' (ünï) #1/7b @2 & $x.v1.5.SAFETENSORS"));
        app.Write("re cipe+&'日本'.yaml", "version: 1\nmethod: uniform\nbits: 5\n");
        app.Write("Program.cs", $"""Console.WriteLine((int)App._7b2XV1_5.Load().Packed["{Weights.Attention}"].BitsPerWeight);""");
        app.Build().MustSucceed();
        Assert.Equal("5", app.RunApp());
        Assert.Equal(0, app.Build().MustSucceed().EngineRuns);
    }

    [Fact]
    public void PTH_02_SameNameInTwoFoldersIsToldOrIsTwoClasses()
    {
        using var app = new TestProject("App", """
            <CompressedModel Include="small/model.safetensors" ClassName="$(First)" />
            <CompressedModel Include="large/Model.safetensors" />
            """);
        Weights.Write(app.PathOf("small/model.safetensors"), norm: 1);
        Weights.Write(app.PathOf("large/Model.safetensors"), norm: 2);
        app.Write("Program.cs", """
            float[] norm = new float[64];
            foreach (var model in new[] { App.Small.Load().Packed, App.Model.Load().Packed })
            {
                model["model.norm.weight"].Dequantize(norm);
                Console.Write(norm[0]);
            }
            """);

        var error = Assert.Single(app.Build().MustFail().Errors);
        Assert.Equal((Codes.ItemDuplicateClass, app.ProjectFile), (error.Code, error.File));
        Assert.Contains("'large/Model.safetensors' and 'small/model.safetensors' would both become class 'App.Model'", error.Text);

        app.Build("-p:First=Small").MustSucceed();
        Assert.Equal("12", app.RunApp());
    }

    [Fact]
    public void PTH_03_IntermediateNamesAreShortAndDoNotDependOnThePlace()
    {
        string[][] names = [.. Enumerable.Range(0, 2).Select(_ =>
        {
            using var app = new TestProject("App", """<CompressedModel Include="Models/tiny.safetensors" />""", "");
            Weights.Write(app.PathOf("Models/tiny.safetensors"));
            app.Restore();
            app.Run("msbuild", "-t:BuildOnlySettings;CompressModels").MustSucceed();
            return app.Files("obj/compress", "tiny.*").Select(file => Path.GetRelativePath(app.PathOf("obj/compress"), file).Replace('\\', '/')).Order(StringComparer.Ordinal).ToArray();
        })];
        Assert.Equal(names[0], names[1]);
        Assert.Contains(names[0], name => Regex.IsMatch(name, @"^App/[0-9a-f]{8}/tiny\.packed\.safetensors$"));
    }

    // Windows takes such paths where they are enabled; that has not been run.
    [Fact]
    public void PTH_04_PathsMayBeLong()
    {
        string part = new('l', 90);
        using var app = new TestProject("App", """<CompressedModel Include="Models/tiny.safetensors" />""", folder: Path.Combine(TestRun.Current.NewFolder(), part, part, part));
        Weights.Write(app.PathOf(SmallApp.Model));
        app.Write("Program.cs", "Console.WriteLine(App.Tiny.Load().Packed.Names.Count);");
        Assert.True(app.Folder.Length > 260);
        app.Build().MustSucceed();
        Assert.Equal("3", app.RunApp());
    }
}
