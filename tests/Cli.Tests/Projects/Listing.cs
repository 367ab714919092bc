using System.Text;
using System.Text.Json;
using Compress.Cli.Tests.Infra;

namespace Compress.Cli.Tests.Projects;

/// <summary>
/// <c>compress list</c> as a process, for MSBuild is loaded into it. Projects here have a target that stands for the package's; with the
/// package itself it is tested where packages are made.
/// </summary>
public sealed class Listing : IDisposable
{
    private const string Target = """
        <Target Name="CompressResolveModels" Returns="@(Resolved)">
          <ItemGroup>
            <Resolved Include="%(CompressedModel.FullPath)" Namespace="App" ClassName="%(CompressedModel.Filename)" Storage="Auto" Recipe="$(Recipe)"
                PackedFile="$(MSBuildProjectDirectory)/%(CompressedModel.Filename).packed.safetensors"
                ReportFile="$(MSBuildProjectDirectory)/%(CompressedModel.Filename).report.json" />
          </ItemGroup>
        </Target>
        """;

    private readonly Workspace workspace = new();

    public Listing() => workspace.Model(TestModel.Ordinary(), "tiny.safetensors");

    public void Dispose() => workspace.Dispose();

    [Fact]
    public void ShowsWhatTheNextBuildEncodesAndWhy()
    {
        string project = Project();
        var (exitCode, output, error) = List(project);
        Assert.True(exitCode == 0, error);
        Assert.Contains("encodes 2 of 2 layers", output, StringComparison.Ordinal);
        Assert.Contains(
            "2 layers (layers.0.down.weight, layers.0.up.weight): no earlier run is known here, and it is not in the cache",
            output,
            StringComparison.Ordinal);

        workspace.Packed("tiny.safetensors", "--report", "tiny.report.json");
        Assert.Contains("nothing", List(project).Output, StringComparison.Ordinal);

        workspace.Text("compress.yaml", "version: 1\nlayers:\n  - match: '*.up.weight'\n    bits: 3\n");
        output = List(Project("<Recipe>compress.yaml</Recipe>", recipe: workspace["compress.yaml"])).Output;
        Assert.Contains("encodes 1 of 2 layers", output, StringComparison.Ordinal);
        Assert.Contains("1 layer (layers.0.up.weight): settings n=16 -> n=8", output, StringComparison.Ordinal);
    }

    [Fact]
    public void JsonHasEveryLayer()
    {
        var (exitCode, output, error) = List(Project(), "--json");
        Assert.True(exitCode == 0, error);
        using var document = JsonDocument.Parse(output);
        var listing = Assert.Single(document.RootElement.EnumerateArray());
        Assert.Equal(workspace["App.proj"], listing.GetProperty("project").GetString());
        var model = Assert.Single(listing.GetProperty("models").EnumerateArray());
        Assert.Equal("App.tiny", model.GetProperty("className").GetString());
        Assert.Equal("Stale", model.GetProperty("state").GetString());
        Assert.Equal((2, 0, 2), (model.GetProperty("encode").GetInt32(), model.GetProperty("reuse").GetInt32(), model.GetProperty("keep").GetInt32()));
        Assert.Equal(
            ["layers.0.down.weight", "layers.0.norm.weight", "layers.0.up.weight", "positions"],
            model.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("name").GetString()));
    }

    [Theory]
    [InlineData("All.slnx")]
    [InlineData("All.sln")]
    public void SolutionListsItsProjectsThatHaveModels(string solution)
    {
        Project();
        workspace.Text("Other.proj", "<Project />");
        workspace.Text("All.slnx", """<Solution><Project Path="App.proj" Type="C#" /><Project Path="Other.proj" Type="C#" /></Solution>""");
        workspace.Text("All.sln", """
            Microsoft Visual Studio Solution File, Format Version 12.00
            Project("{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}") = "App", "App.proj", "{11111111-1111-1111-1111-111111111111}"
            EndProject
            Project("{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}") = "Other", "Other.proj", "{22222222-2222-2222-2222-222222222222}"
            EndProject
            """);
        var (exitCode, output, error) = List(solution);
        Assert.True(exitCode == 0, error);
        Assert.Contains("App.proj", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Other.proj", output, StringComparison.Ordinal);
    }

    [Fact]
    public void ProjectWithoutModelsSaysSo()
    {
        workspace.Text("Other.proj", "<Project />");
        Assert.Contains("no CompressedModel items", List("Other.proj").Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<Project><ItemGroup></Project>", "App.proj(1,", "cannot be evaluated")]
    [InlineData("""<Project><ItemGroup><CompressedModel Include="a" /></ItemGroup></Project>""", "App.proj(1,1)", "run 'dotnet restore' first")]
    [InlineData(null, "App.proj(1,1)", "there is no such file")]
    public void ProjectThatCannotBeReadIsNamed(string? text, string place, string message)
    {
        if (text is not null)
        {
            workspace.Text("App.proj", text);
        }

        var (exitCode, output, error) = List("App.proj");
        string line = new Outcome(exitCode, output, error).Single("CMPR1105");
        Assert.Equal(1, exitCode);
        Assert.Contains(place, line, StringComparison.Ordinal);
        Assert.Contains(message, line, StringComparison.Ordinal);
    }

    [Fact]
    public void ModelThatCannotBeReadFailsAloneAndTheOthersAreShown()
    {
        File.WriteAllText(workspace["bad.safetensors"], "no model");
        var (exitCode, output, error) = List(Project(more: """<CompressedModel Include="bad.safetensors" />"""));
        Assert.Equal(1, exitCode);
        Assert.Contains("error CMPR2003", error, StringComparison.Ordinal);
        Assert.Contains("fails", output, StringComparison.Ordinal);
        Assert.Contains("encodes 2 of 2 layers", output, StringComparison.Ordinal);
    }

    private string Project(string properties = "", string recipe = "", string more = "")
    {
        workspace.Text("App.proj", $"""
            <Project>
              <PropertyGroup><CompressCacheDir>cache</CompressCacheDir>{properties}<Recipe>{recipe}</Recipe></PropertyGroup>
              <ItemGroup><CompressedModel Include="tiny.safetensors" />{more}</ItemGroup>
              {Target}
            </Project>
            """);
        return "App.proj";
    }

    private (int ExitCode, string Output, string Error) List(params string[] args)
    {
        var (exitCode, output, error) = CliProcess.Run(workspace.Root, ["list", .. args]);
        return (exitCode, Encoding.UTF8.GetString(output), error);
    }
}
