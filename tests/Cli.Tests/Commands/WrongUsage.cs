using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.Commands;

public sealed class WrongUsage : IDisposable
{
    private readonly Workspace workspace = new();

    [Theory]
    [InlineData("compress: error CMPR4004: Required command was not provided.")]
    [InlineData("compress: error CMPR4004: there is no command 'rum' here; did you mean 'run'?", "rum", "x")]
    [InlineData("compress: error CMPR4004: Required argument missing for command: 'run'.", "run")]
    [InlineData("compress: error CMPR4004: there is no option '--thread' here; did you mean '--threads'?", "run", "x", "--thread", "2")]
    [InlineData("compress: error CMPR4004: unexpected argument 'y'", "inspect", "x", "y")]
    [InlineData("compress: error CMPR4004: --threads is '0'; give a whole number of at least 1", "run", "x", "--threads", "0")]
    [InlineData("compress: error CMPR4004: --threads is 'two'; give a whole number of at least 1", "run", "x", "--threads", "two")]
    [InlineData("compress: error CMPR4004: --cache and --no-cache exclude each other", "run", "x", "--cache", "c", "--no-cache")]
    [InlineData("compress: error CMPR4004: --cache-mode and --no-cache exclude each other", "run", "x", "--cache-mode", "ReadOnly", "--no-cache")]
    [InlineData("compress: error CMPR4004: --cache-mode is '1'; give ReadWrite, ReadOnly or Off", "run", "x", "--cache-mode", "1")]
    [InlineData("compress: error CMPR4004: --cache-max-size is 'big'; give a size such as 2GB, 500MB, 1.5GiB or 4096", "run", "x", "--cache-max-size", "big")]
    [InlineData("compress: error CMPR4004: --max-size is '2 quarts'; give a size such as 2GB, 500MB, 1.5GiB or 4096", "cache", "trim", "--max-size", "2 quarts")]
    [InlineData("compress: error CMPR4004: Option '--max-size' is required.", "cache", "trim")]
    [InlineData("compress: error CMPR4004: Option '--text' is required.", "eval", "x")]
    [InlineData("compress: error CMPR4004: Option '--recipe' is required.", "compare", "x")]
    [InlineData("compress: error CMPR4004: --unit is 'line'; give document or paragraph", "eval", "x", "--text", "t", "--unit", "line")]
    [InlineData("compress: error CMPR4004: --window is '1'; give a whole number of at least 2", "eval", "x", "--text", "t", "--window", "1")]
    [InlineData("compress: error CMPR4004: --stride is '0'; give a whole number of at least 1", "eval", "x", "--text", "t", "--stride", "0")]
    [InlineData("compress: error CMPR4004: --limit is 'all'; give a whole number of at least 1", "compare", "x", "--recipe", "r", "--text", "t", "--limit", "all")]
    [InlineData("compress: error CMPR4004: --cache and --no-cache exclude each other", "eval", "x", "--text", "t", "--cache", "c", "--no-cache")]
    [InlineData("compress: error CMPR4004: --cache and --no-cache exclude each other", "compare", "x", "--recipe", "r", "--cache", "c", "--no-cache")]
    public void IsOneLineAndExitCodeTwo(string expected, params string[] args)
    {
        var outcome = workspace.Run(args);
        Assert.Equal(ExitCodes.Usage, outcome.ExitCode);
        Assert.Empty(outcome.Output);
        string[] lines = outcome.Error.TrimEnd().Split('\n');
        Assert.Equal(expected, lines[0]);
        Assert.EndsWith("--help' shows what it takes.", Assert.Single(lines[1..]), StringComparison.Ordinal);
    }

    [Fact]
    public void HelpNamesEveryCommandButTheHiddenOne()
    {
        var outcome = workspace.Run("--help");
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.All(["run", "inspect", "verify", "eval", "compare", "init", "cache"], name => Assert.Contains($"  {name} ", outcome.Output, StringComparison.Ordinal));
        Assert.DoesNotContain("msbuild", outcome.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("@scope/model.safetensors")] // no response file
    [InlineData("[x].safetensors")]
    public void OddNamesAreJustNames(string name) =>
        workspace.Run("inspect", name).Single(Codes.ModelNotReadable);

    public void Dispose() => workspace.Dispose();
}
