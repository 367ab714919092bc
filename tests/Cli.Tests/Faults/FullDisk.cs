using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.Faults;

/// <summary>
/// A real full disk: a memory file system of a few kilobytes, mounted where nobody else sees it. Where that is not allowed,
/// <see cref="Output.UnexpectedFailures"/> alone stands for it.
/// </summary>
public sealed class FullDisk : IDisposable
{
    private readonly Workspace workspace = new();

    public FullDisk()
    {
        workspace.Model(TestModel.Ordinary());
        Directory.CreateDirectory(workspace["disk"]);
    }

    [Fact]
    public void IsOneErrorAndLeavesTheLastGoodOutput()
    {
        // The old output takes 4 of 8 kB; the new one does not fit beside it.
        var outcome = RunOnSmallDisk("head -c 4000 /dev/zero > disk/model.packed.safetensors", "--cache cache");
        if (outcome is null)
        {
            return;
        }

        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        outcome.Single(Codes.OutputNotWritable);
        Assert.Equal("4000 model.packed.safetensors", outcome.Output.TrimEnd());
    }

    [Fact]
    public void IsOneErrorWithoutCache()
    {
        var outcome = RunOnSmallDisk("true", "--no-cache");
        if (outcome is null)
        {
            return;
        }

        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.Contains("isk", outcome.Single(Codes.OutputNotWritable), StringComparison.Ordinal);
        Assert.Equal("", outcome.Output.TrimEnd());
    }

    [Fact]
    public void OfTheCacheCostsAWarning()
    {
        var outcome = RunOnSmallDisk("head -c 8192 /dev/zero > disk/full", "--cache disk/cache", output: ".");
        if (outcome is null)
        {
            return;
        }

        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.Contains($"warning {Codes.CacheNotWritable}: ", Assert.Single(outcome.Diagnostics), StringComparison.Ordinal);
        Assert.True(File.Exists(workspace["model.packed.safetensors"]));
    }

    public void Dispose() => workspace.Dispose();

    // Runs with disk/ of 8 kB; what is on it afterwards is the output. Null where this may not be mounted.
    private Outcome? RunOnSmallDisk(string prepare, string options, string output = "disk") => Shell.RunWithMounts(workspace, $"""
        mount -t tmpfs -o size=8k tmpfs disk
        {prepare}
        {Shell.Program} run model.safetensors --output {output} {options} >/dev/null
        code=$?
        cd disk && find . -type f -printf '%s %P\n'
        exit $code
        """);
}
