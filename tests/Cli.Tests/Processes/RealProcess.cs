using System.Text;
using Compress.Cli.Tests.Infra;

namespace Compress.Cli.Tests.Processes;

public sealed class RealProcess : IDisposable
{
    private readonly Workspace workspace = new();

    [Fact]
    public void CompressesAndWritesPlainUtf8()
    {
        workspace.Model(TestModel.Ordinary());
        var (exitCode, output, error) = CliProcess.Run(workspace.Root, "run", "model.safetensors", "--cache", "cache");
        Assert.Equal((ExitCodes.Ok, ""), (exitCode, error));
        Assert.True(output.AsSpan().StartsWith(Encoding.UTF8.GetBytes(workspace.Root)), "the path is not the first thing, in UTF-8");
        Assert.DoesNotContain((byte)0x1B, output); // no escape sequences
    }

    [Fact]
    public void ErrorsGoToStandardErrorWithExitCodeOne()
    {
        var (exitCode, output, error) = CliProcess.Run(workspace.Root, "inspect", "none");
        Assert.Equal((ExitCodes.Errors, 0), (exitCode, output.Length));
        Assert.Equal($"{workspace["none"]}(1,1): error CMPR2001: there is no such model file or folder", error.TrimEnd());
    }

    [Fact]
    public void WrongUsageHasExitCodeTwo() => Assert.Equal(ExitCodes.Usage, CliProcess.Run(workspace.Root, "walk").ExitCode);

    public void Dispose() => workspace.Dispose();
}
