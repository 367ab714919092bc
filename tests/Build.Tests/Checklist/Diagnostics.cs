using System.Text.RegularExpressions;
using Compress.Build.Tests.Infra;
using Compress.Core.Diagnostics;
using Compress.Tasks;

namespace Compress.Build.Tests.Checklist;

/// <summary>DIA: errors and warnings of a build, as editors, CI systems and users' switches take them.</summary>
public sealed class Diagnostics(SmallApp fixture) : IClassFixture<SmallApp>, IDisposable
{
    private const string Project = "App.csproj";
    private const string Recipe = "Models/compress.yaml";
    private const string Warning = "/r/compress.yaml(4,12): warning CMPR1007: 'x' matches no tensor\n";

    // As a build gets there, and no further.
    private const string Compress = "-t:BuildOnlySettings;CompressModels";

    private readonly TestProject app = Fresh(fixture.App);

    [Fact]
    public void DIA_01_RecipeErrorIsAtItsKeyInTheUsersProjectAndTheLastGoodOutputStays()
    {
        app.Write(Recipe, "version: 1\nbits: 4\n");
        app.Build().MustSucceed();
        string packed = Assert.Single(app.PackedFiles);
        byte[] before = File.ReadAllBytes(packed);
        app.Write(Recipe, "version: 1\nmethod: higgs\nlayers:\n  - match: a\n    bits: many\n");

        var error = Assert.Single(app.Build().MustFail().Errors);
        Assert.Equal((Codes.RecipeWrongType, app.PathOf(Recipe)), (error.Code, error.File));
        Assert.Equal((5, 11), (error.LineNumber, error.ColumnNumber));
        Assert.Equal(app.ProjectFile, error.ProjectFile);
        Assert.Equal(before, File.ReadAllBytes(packed));
    }

    // The pattern of GitHub's setup-dotnet action, as it is there. Azure Pipelines takes the same form.
    [Theory]
    [InlineData(Recipe, "CMPR1003", "bits: many\n")]
    [InlineData(Recipe, "CMPR1007", "layers:\n  - match: nothing.like.this\n    bits: 3\n")]
    [InlineData(Project, "CMPR4004", "", "-p:CompressEmbedLimit=much")]
    [InlineData(Project, "CMPR4004", "", "-p:CompressForce=perhaps")]
    [InlineData(Project, "CMPR4004", "", "-p:CompressMaxParallelism=many")]
    [InlineData(Project, "CMPR4003", "", "-p:NETCoreSdkVersion=9.0.305")]
    public void DIA_02_ConsoleLineIsWhatCISystemsAnnotate(string file, string code, string recipe, params string[] arguments)
    {
        app.Write(Recipe, recipe);
        string output = app.Run("msbuild", ["-t:BuildOnlySettings;CompressModels;_CompressAddOutputs", .. arguments]).Output;
        string line = output.Split(Environment.NewLine).First(text => text.Contains("CMPR", StringComparison.Ordinal));
        // MSBuild leaves out the project behind a message that is about it.
        string full = file == Project ? $"{line} [{app.ProjectFile}]" : line;
        var match = Regex.Match(full, @"^(.*)\((\d+)(?:,\d+|,\d+,\d+)?\):\s+(error|warning)\s+([a-zA-Z]+(?<!MSB)\d+):\s*(.*?)\s+\[(.*?)\]$");
        Assert.True(match.Success, line);
        Assert.Equal((app.PathOf(file), code, app.ProjectFile), (match.Groups[1].Value, match.Groups[4].Value, match.Groups[6].Value));
    }

    [Theory]
    [InlineData("warning")]
    [InlineData("error", "-warnaserror")]
    [InlineData("error", "-warnaserror:CMPR1007")]
    [InlineData("error", "-p:WarningsAsErrors=CMPR1007")]
    [InlineData("error", "-p:MSBuildTreatWarningsAsErrors=true")]
    [InlineData("warning", "-p:MSBuildTreatWarningsAsErrors=true", "-p:WarningsNotAsErrors=CMPR1007")]
    [InlineData("warning", "-p:TreatWarningsAsErrors=true")] // the compiler's switch, not MSBuild's
    [InlineData("", "-p:NoWarn=CMPR1007")]
    [InlineData("", "-nowarn:CMPR1007")]
    public void DIA_03_WarningObeysTheUsersSwitches(string expected, params string[] arguments)
    {
        ScriptedEngine.Script(app, Warning);
        var build = app.Run("msbuild", [Compress, ScriptedEngine.Argument, "-p:CompressForce=true", .. arguments]);
        Assert.Equal(expected != "error", build.Succeeded);
        Assert.Equal(expected == "error" ? ["CMPR1007"] : [], build.Errors.Select(error => error.Code));
        Assert.Equal(expected == "warning" ? ["CMPR1007"] : [], build.Warnings.Select(warning => warning.Code));
    }

    [Fact]
    public void DIA_03_WarningThatIsAnErrorComesAgain()
    {
        ScriptedEngine.Script(app, Warning);
        string[] arguments = [Compress, ScriptedEngine.Argument, "-p:WarningsAsErrors=CMPR1007"];
        app.Run("msbuild", arguments).MustFail();
        Assert.Equal("CMPR1007", Assert.Single(app.Run("msbuild", arguments).MustFail().Errors).Code);
    }

    [Fact]
    public void DIA_04_ErrorLinksToItsSectionOnceTheRepositoryHasAnAddress()
    {
        // The tasks, built as they will be then; the address stands in one place.
        string folder = Path.Combine(app.Solution, "linked");
        var (exitCode, output) = Tool.Run(
            "dotnet",
            [
                "build", Path.Combine(TestRun.Repository, "src/Tasks/Compress.Tasks.csproj"), "-nologo", "-v:q", "-p:RepositoryUrl=https://example.org/r",
                $"-p:BaseIntermediateOutputPath={folder}/obj/", $"-p:OutputPath={folder}/bin/", "-p:DefaultItemExcludes=obj/**", "-p:EngineProject=",
            ],
            app.Solution,
            TestRun.MachinePackages);
        Assert.True(exitCode == 0, output);

        // Binary logs do not keep links; the terminal makes the code one.
        string[] arguments = ["-t:_CompressAddOutputs", "-p:CompressEmbedLimit=much", "-tl:on"];
        Assert.DoesNotContain("\e]8;;", app.Run("msbuild", arguments).MustFail().Output);
        Assert.Contains(
            "\e]8;;https://example.org/r/blob/v1.0.0/docs/diagnostics.md#cmpr4004\e\\CMPR4004",
            app.Run("msbuild", [.. arguments, $"-p:_CompressTasksAssembly={folder}/bin/Compress.Tasks.dll"]).MustFail().Output);
    }

    [Fact]
    public void DIA_05_MissingRuntimeIsToldBeforeTheCompilerIs()
    {
        // a framework that Compress.Runtime does not support
        using var project = new TestProject("Old", """<CompressedModel Include="a.safetensors" />""", "<TargetFramework>netstandard2.0</TargetFramework>");
        Weights.Write(project.PathOf("a.safetensors"));
        var error = Assert.Single(project.Build("-p:CompressEnabled=false").MustFail().Errors);
        Assert.Equal((Codes.RuntimeMissing, project.ProjectFile), (error.Code, error.File));
        Assert.Contains("<PackageReference Include=\"Compress.Runtime\" />", error.Text);
    }

    // What stands in the way of a task: a folder where a file is to be, a file where a folder is to be.
    [Theory]
    [InlineData("obj/compress", false, Codes.OutputNotWritable)]
    [InlineData("obj/Debug/net10.0/compress", false, Codes.OutputNotWritable)]
    [InlineData("obj/Debug/net10.0/compress/App.Tiny.g.cs", true, Codes.OutputNotWritable)]
    [InlineData("obj/Debug/net10.0/compress/App.Tiny.g.cs.fingerprint", true, Codes.OutputNotWritable)]
    [InlineData(SmallApp.Model, true, Codes.ModelUnknownFormat)]
    public void DIA_06_ObstacleIsOneLineAndNoStackTrace(string path, bool isFolder, string code)
    {
        path = app.PathOf(path);
        Remove(app.PathOf("obj/compress"));
        Remove(app.PathOf("obj/Debug"));
        Remove(path);
        Directory.CreateDirectory(isFolder ? path : Path.GetDirectoryName(path)!);
        if (!isFolder)
        {
            File.WriteAllText(path, "");
        }

        try
        {
            Assert.Equal(code, Assert.Single(app.Build().MustFail().Errors).Code);
        }
        finally
        {
            Remove(path);
        }
    }

    // 300 bytes: names of files have 255 at most.
    [Fact]
    public void DIA_06_NameThatIsTooLongIsOneLine()
    {
        var error = Assert.Single(app.Build("-p:RootNamespace=" + new string('N', 300)).MustFail().Errors);
        Assert.Equal(Codes.OutputNotWritable, error.Code);
    }

    [Fact]
    public void DIA_06_UnforeseenExceptionIsOneLineToo()
    {
        var engine = new FakeEngine();
        Assert.False(new Broken { BuildEngine = engine, ProjectFile = "/p/App.csproj" }.Execute());
        var error = Assert.Single(engine.Errors);
        Assert.Equal((Codes.Internal, "/p/App.csproj", 1), (error.Code, error.File, error.LineNumber));
        Assert.Contains("unexpected InvalidOperationException: oops; this is a fault of Compress.Tasks: please report it", error.Message);
    }

    [Fact]
    public void DIA_06_EngineThatDiesIsOneLine()
    {
        ScriptedEngine.Script(app, "something broke\n  at Some.Stack()\n", exit: 134);
        var error = Assert.Single(app.Run("msbuild", Compress, ScriptedEngine.Argument).MustFail().Errors);
        Assert.Equal((Codes.EngineDied, app.ProjectFile), (error.Code, error.ProjectFile));
        Assert.Contains("exit code 134, saying 'something broke'", error.Text);
    }

    [Fact]
    public void DIA_06_MissingEngineIsOneLine()
    {
        string engine = Path.Combine(app.Solution, "nowhere", "compress.dll");
        var error = Assert.Single(app.Run("msbuild", Compress, "-p:_CompressEnginePath=" + engine).MustFail().Errors);
        Assert.Equal((Codes.EngineNotFound, engine), (error.Code, error.File));
    }

    [Fact]
    public void DIA_06_BuildThatOnlyAsksNamesTheModel()
    {
        var error = Assert.Single(app.Run("msbuild", Compress, "-question", "-p:CompressForce=true").MustFail().Errors);
        Assert.Equal((Codes.NotUpToDate, app.PathOf(SmallApp.Model), app.ProjectFile), (error.Code, error.File, error.ProjectFile));
    }

    public void Dispose() => Remove(app.PathOf(Recipe));

    private static void Remove(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else if (Directory.Exists(Path.GetDirectoryName(path)))
        {
            File.Delete(path);
        }
    }

    private static TestProject Fresh(TestProject app)
    {
        Weights.Write(app.PathOf(SmallApp.Model));
        app.Environment.Clear();
        if (!File.Exists(app.PathOf("obj/project.assets.json")))
        {
            app.Restore();
        }

        return app;
    }

    private sealed class Broken : CompressTask
    {
        protected override void Run() => throw new InvalidOperationException("oops");
    }
}
