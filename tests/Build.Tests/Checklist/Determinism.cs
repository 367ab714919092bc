using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>DET: the same bytes wherever, however and in whatever language a build runs.</summary>
public sealed class Determinism : IClassFixture<SmallApp>
{
    private const string Recipe = """
        version: 1
        method: higgs
        p: 2
        n: 256
        layers:
          - match: "*.mlp.*"
            method: uniform
            clip: mse

        """;

    private readonly TestProject app;

    public Determinism(SmallApp fixture)
    {
        app = fixture.App;
        Prepare(app);
        app.Environment.Clear();
    }

    [Fact]
    public void DET_01_AnotherFolderGivesTheSameFiles()
    {
        Assert.Equal(Released("here"), Released("and the ünï 日本 there"));

        static SortedDictionary<string, string> Released(string folder)
        {
            using var fixture = new SmallApp(Path.Combine(TestRun.Current.Root, folder)); // no apostrophe: the compiler's -pathmap does not take it
            Prepare(fixture.App);
            // what version control says otherwise: the folder that compilers shall forget
            fixture.App.Write("Directory.Build.props", """<Project><ItemGroup><SourceRoot Include="$(MSBuildThisFileDirectory)" /></ItemGroup></Project>""");
            return Outputs(fixture.App, "-p:ContinuousIntegrationBuild=true");
        }
    }

    // NEON, AVX-512 and other systems have not been run: Core.Tests compares every vector width with the scalar path instead.
    [Theory]
    [InlineData("-p:CompressMaxParallelism=1", "", "")]
    [InlineData("-p:CompressMaxParallelism=7", "", "")]
    [InlineData("", "DOTNET_EnableAVX2", "0")]
    [InlineData("", "DOTNET_EnableHWIntrinsic", "0")]
    public void DET_02_ThreadsAndVectorWidthsGiveTheSameFile(string argument, string variable, string value)
    {
        byte[] expected = Packed();
        if (variable.Length > 0)
        {
            app.Environment[variable] = value;
        }

        Assert.Equal(expected, Packed(argument));

        byte[] Packed(params string[] arguments)
        {
            Assert.All(app.PackedFiles, File.Delete);
            if (!File.Exists(app.PathOf("obj/project.assets.json")))
            {
                app.Restore();
            }

            app.Run("msbuild", ["-t:BuildOnlySettings;CompressModels", "-p:CompressForce=true", .. arguments.Where(text => text.Length > 0)]).MustSucceed();
            return File.ReadAllBytes(Assert.Single(app.PackedFiles));
        }
    }

    // Turkish has another capital i, German another decimal point.
    [Theory]
    [InlineData("tr_TR.UTF-8", "tr")]
    [InlineData("de_DE.UTF-8", "de")]
    public void DET_03_CultureGivesTheSameFiles(string locale, string language)
    {
        string[] arguments = ["-t:Rebuild", "-p:CompressForce=true"];
        var expected = Outputs(app, arguments);
        app.Environment["LC_ALL"] = locale;
        app.Environment["DOTNET_CLI_UI_LANGUAGE"] = language;
        Assert.Equal(expected, Outputs(app, arguments));
    }

    private static void Prepare(TestProject app)
    {
        Weights.Write(app.PathOf(SmallApp.Model));
        app.Write("Models/compress.yaml", Recipe);
    }

    // Names and contents of what a build gives.
    private static SortedDictionary<string, string> Outputs(TestProject app, params string[] arguments)
    {
        app.Build(arguments).MustSucceed();
        string[] files = [.. app.PackedFiles, .. app.Files("obj/Debug", "*.Tiny.g.cs"), .. app.Files("bin/Debug", "App.dll"), .. app.Files("bin/Debug", "App.pdb")];
        Assert.Equal(4, files.Length);
        return new(files.ToDictionary(
            file => Path.GetRelativePath(app.Folder, file), file => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))));
    }
}
