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

    [Fact]
    public void MisspeltNamesAreWarnedOf()
    {
        using var project = new TestProject("Names", """<CompressedModel Include="a.safetensors" Recepie="a.yaml" Storage="Embed" Owner="me" />""", "");
        Weights.Write(project.PathOf("a.safetensors"), (Weights.Norm, [64], new float[64]));
        var build = project.Build("-p:CompressFocre=true", "-p:CompressWell=true", "-p:compressenabled=true", "-p:CompressionEnabled=false").MustSucceed();
        Assert.All(build.Warnings, warning => Assert.Equal(project.ProjectFile, warning.File));
        Assert.Collection(
            build.Warnings.OrderBy(warning => warning.Text, StringComparer.Ordinal),
            warning => Is("CMPR1106", "'a.safetensors' has metadata 'Recepie', which nothing reads; did you mean Recipe?", warning),
            warning => Is("CMPR1106", "no property 'CompressFocre'; did you mean CompressForce?", warning),
            warning => Is("CMPR1106", "no property 'CompressWell'; it has CompressCacheDir, CompressCacheMaxSize,", warning));
    }

    private static void Is(string code, string text, Microsoft.Build.Logging.StructuredLogger.AbstractDiagnostic error)
    {
        Assert.Equal(code, error.Code);
        Assert.Contains(text, error.Text);
    }
}
