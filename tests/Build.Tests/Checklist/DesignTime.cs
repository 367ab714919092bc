using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>The builds that editors run: as MSBuildWorkspace and C# Dev Kit ask for them.</summary>
public sealed class DesignTime(SmallApp small) : IClassFixture<SmallApp>
{
    private static readonly string[] Arguments =
        ["-t:Compile;CoreCompile", "-p:DesignTimeBuild=true", "-p:SkipCompilerExecution=true", "-p:ProvideCommandLineArgs=true"];

    private readonly TestProject app = small.Reset();

    [Fact]
    public void DTB_01_FreshCloneGetsTheClassFromTheModelsHeaderAlone()
    {
        Forget();
        // Whoever read more than the header would be busy for minutes: the file is 64 GB, of which nothing is on the disk.
        Weights.WriteHeader(app.PathOf(SmallApp.Model), Weights.Norm, 4096, 4096, 1024);

        var items = app.Items("CscCommandLineArgs", Arguments);
        Assert.Contains(items.GetProperty("CscCommandLineArgs").EnumerateArray(), item => item.GetProperty("Identity").GetString()!.EndsWith("App.Tiny.g.cs"));
        Assert.Contains("[4096, 4096, 1024]", app.Read(Assert.Single(app.Files("obj/Debug", "App.Tiny.g.cs"))));
        Assert.Empty(app.Files("obj/compress", "*"));
    }

    [Fact]
    public void DTB_02_WhatIsMissingOrMalformedIsAWarning()
    {
        app.Restore();
        File.Delete(app.PathOf(SmallApp.Model));
        Warns("CMPR1101");

        File.WriteAllText(app.PathOf(SmallApp.Model), "no model");
        Warns("CMPR2003");

        small.Reset();
        app.Write(SmallApp.Recipe, "bits: [");
        Warns(); // no recipe is read

        void Warns(params string[] codes)
        {
            var build = app.Run("msbuild", Arguments).MustSucceed();
            Assert.Empty(build.Errors);
            Assert.Equal(codes, build.Warnings.Select(warning => warning.Code));
        }
    }

    [Fact]
    public void DTB_03_AfterABuildItChangesNothing()
    {
        app.Build().MustSucceed();
        app.Run("msbuild", Arguments).MustSucceed(); // MSBuild's own files of design-time builds
        var before = app.Snapshot();
        var build = app.Run("msbuild", Arguments).MustSucceed();
        Assert.Equal(["CompressResolveModels"], build.OurTasks);
        Assert.Equal(before, app.Snapshot());
        app.Build("-question").MustSucceed();
    }

    [Fact]
    public void DTB_04_SavedModelAsksForADesignTimeBuild()
    {
        var model = Assert.Single(app.Items("CompressedModel").GetProperty("CompressedModel").EnumerateArray());
        Assert.Equal("MSBuild:Compile", model.GetProperty("Generator").GetString());
    }

    [Fact]
    public void DTB_05_BeforeARestoreThereIsNothingToDoAndNothingBreaks()
    {
        if (Directory.Exists(app.PathOf("obj")))
        {
            Directory.Delete(app.PathOf("obj"), recursive: true);
        }

        var items = app.Items("CompressedModel,CompressResolvedModel,Compile", "-p:DesignTimeBuild=true");
        Assert.Equal(SmallApp.Model, Assert.Single(items.GetProperty("CompressedModel").EnumerateArray()).GetProperty("Identity").GetString());
        Assert.Equal(0, items.GetProperty("CompressResolvedModel").GetArrayLength());
        app.Restore();
    }

    [Fact]
    public void DTB_06_SameTargetGeneratesTheSameClassInBothKindsOfBuild()
    {
        Forget();
        app.Run("msbuild", Arguments).MustSucceed();
        string ofEditor = app.Read(Assert.Single(app.Files("obj/Debug", "App.Tiny.g.cs")));

        Forget();
        app.Build().MustSucceed();
        Assert.Equal(ofEditor, app.Read(Assert.Single(app.Files("obj/Debug", "App.Tiny.g.cs"))));
    }

    private void Forget()
    {
        app.Restore();
        app.Run("clean").MustSucceed();
        Assert.Empty(app.Files("obj", "App.Tiny.g.cs"));
    }
}
