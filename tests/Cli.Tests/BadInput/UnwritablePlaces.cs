using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.BadInput;

/// <summary>Root may write anywhere, so these use files where folders should be, and the reverse.</summary>
public sealed class UnwritablePlaces : IDisposable
{
    private readonly Workspace workspace = new();

    public UnwritablePlaces() => workspace.Model(TestModel.Ordinary());

    [Fact]
    public void OutputFolderThatIsAFile()
    {
        workspace.Text("out", "");
        var outcome = workspace.Run("run", "model.safetensors", "--cache", workspace.Cache, "--output", "out");
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        outcome.Single(Codes.OutputNotWritable);
        Assert.Equal(["model.safetensors", "out"], workspace.Files());
    }

    [Fact]
    public void OutputThatIsAFolder()
    {
        Directory.CreateDirectory(workspace["model.packed.safetensors"]);
        var outcome = workspace.Run("run", "model.safetensors", "--no-cache");
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.StartsWith(workspace["model.packed.safetensors"], outcome.Single(Codes.OutputNotWritable), StringComparison.Ordinal);
        Assert.Equal(["model.packed.safetensors", "model.safetensors"], workspace.Files());
    }

    [Fact]
    public void ReportThatIsAFolder()
    {
        Directory.CreateDirectory(workspace["report"]);
        var outcome = workspace.Run("run", "model.safetensors", "--no-cache", "--report", "report");
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.StartsWith(workspace["report"], outcome.Single(Codes.OutputNotWritable), StringComparison.Ordinal);
    }

    [Fact]
    public void CacheThatIsAFileCostsAWarning()
    {
        workspace.Text("cachefile", "");
        var outcome = workspace.Run("run", "model.safetensors", "--cache", "cachefile");
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.Contains($"warning {Codes.CacheNotWritable}: ", Assert.Single(outcome.Diagnostics), StringComparison.Ordinal);
        Assert.Equal(["cachefile", "model.packed.safetensors", "model.safetensors"], workspace.Files());
    }

    public void Dispose() => workspace.Dispose();
}
