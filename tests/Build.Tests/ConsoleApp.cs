using System.Globalization;
using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests;

/// <summary>The ordinary case: a console app with one model. Each test starts from the same model and recipe, and changes one thing.</summary>
public sealed class ConsoleApp : IClassFixture<SmallApp>
{
    private const string Model = SmallApp.Model;

    private readonly TestProject app;

    public ConsoleApp(SmallApp fixture) => app = fixture.Reset();

    [Fact]
    public void EmbedsTheModelAndReadsItBack()
    {
        app.Build().MustSucceed();
        // one vector, kept as it is, and a matrix of 4 bits and a scale and a zero point for each of its groups
        string[] printed = app.RunApp().Split('|');
        Assert.Equal("64x64", printed[0]);
        Assert.InRange(double.Parse(printed[1], CultureInfo.InvariantCulture), 4.0, 5.0);
        Assert.Equal("1.5", printed[2]);
        Assert.Empty(app.Files("bin", "*.safetensors"));
    }

    [Fact]
    public void RecipeOfTheModelsOwnTakesOverWhenItAppears()
    {
        app.Write("Models/tiny.compress.yaml", "version: 1\nmethod: uniform\nbits: 2\n");
        try
        {
            app.Build().MustSucceed();
            Assert.StartsWith("64x64|2.", app.RunApp());
        }
        finally
        {
            File.Delete(app.PathOf("Models/tiny.compress.yaml"));
        }

        Assert.Equal(1, app.Build().MustSucceed().EngineRuns);
        Assert.StartsWith("64x64|4.", app.RunApp());
    }

    [Fact]
    public void TruncatedModelIsNamed()
    {
        File.WriteAllBytes(app.PathOf(Model), File.ReadAllBytes(app.PathOf(Model))[..1000]);
        var error = Assert.Single(app.Build().MustFail().Errors);
        Assert.Equal("CMPR2003", error.Code);
        Assert.Equal(app.PathOf(Model), error.File);
    }

    [Fact]
    public void SwitchedOffItCompilesAndEmbedsNothing()
    {
        app.Build().MustSucceed();
        long with = new FileInfo(app.PathOf("bin/Debug/net10.0/App.dll")).Length;
        File.SetLastWriteTimeUtc(app.PathOf(Model), DateTime.UtcNow.AddHours(-4));
        Assert.Equal(0, app.Build("-p:CompressEnabled=false").MustSucceed().EngineRuns);
        Assert.InRange(new FileInfo(app.PathOf("bin/Debug/net10.0/App.dll")).Length, 0, with - new FileInfo(app.PackedFiles[0]).Length + 512); // sections are aligned
    }
}
