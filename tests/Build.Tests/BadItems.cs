using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests;

/// <summary>Items that are wrong: each gets one error that names the project, and the engine is never started.</summary>
public sealed class BadItems
{
    [Fact]
    public void EachIsToldApart()
    {
        using var project = new TestProject("Bad", """
            <CompressedModel Include="missing.safetensors" />
            <CompressedModel Include="a.safetensors" Recipe="nowhere.yaml" />
            <CompressedModel Include="a.safetensors" ClassName="1st" />
            <CompressedModel Include="a.safetensors" Namespace="My..Models" />
            <CompressedModel Include="a.safetensors" Access="Private" />
            <CompressedModel Include="a.safetensors" Storage="Cloud" />
            """);
        project.Write("Program.cs", "return;");
        Weights.Write(project.PathOf("a.safetensors"));

        var build = project.Build().MustFail();
        Assert.Equal(0, build.EngineRuns);
        Assert.All(build.Errors, error => Assert.Equal((project.ProjectFile, 1, 1), (error.File, error.LineNumber, error.ColumnNumber)));
        Assert.Collection(
            build.Errors,
            error => Is("CMPR1101", "'missing.safetensors' does not exist", error),
            error => Is("CMPR1104", "'nowhere.yaml', which does not exist", error),
            error => Is("CMPR1102", "ClassName=\"1st\"; expected a C# identifier", error),
            error => Is("CMPR1102", "Namespace=\"My..Models\"", error),
            error => Is("CMPR1102", "Access=\"Private\"; expected Internal or Public", error),
            error => Is("CMPR1102", "Storage=\"Cloud\"; expected Auto or Embed or File", error));
    }

    private static void Is(string code, string text, Microsoft.Build.Logging.StructuredLogger.AbstractDiagnostic error)
    {
        Assert.Equal(code, error.Code);
        Assert.Contains(text, error.Text);
    }
}
