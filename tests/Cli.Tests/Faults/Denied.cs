using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.Faults;

/// <summary>Places that may not be written, and users without any. Root may write anywhere: so mounts, limits and missing folders deny it.</summary>
public sealed class Denied : IDisposable
{
    private readonly Workspace workspace = new();

    public Denied()
    {
        Directory.CreateDirectory(workspace["source"]);
        workspace.Model(TestModel.Ordinary(), Path.Combine("source", "model.safetensors"));
        workspace.Text(Path.Combine("source", "compress.yaml"), "method: uniform\n");
    }

    [Fact]
    public void ReadOnlySourceTreeIsRead()
    {
        var outcome = Shell.RunWithMounts(workspace, $"""
            mount --bind source source && mount -o remount,ro,bind source source
            touch source/x 2>/dev/null && exit 99
            {Shell.Program} run source/model.safetensors --output out --cache cache
            """);
        if (outcome is null)
        {
            return;
        }

        Assert.True(outcome.ExitCode == ExitCodes.Ok, outcome.Error);
        Assert.Empty(outcome.Diagnostics);
        Assert.True(File.Exists(workspace["out", "model.packed.safetensors"]));
    }

    [Fact]
    public void CCH_01_CacheOnAReadOnlyDiskIsUsedWithOneWarningForWhatItLacks()
    {
        workspace.Packed(workspace["source", "model.safetensors"]);
        workspace.Text(Path.Combine("source", "compress.yaml"), "method: uniform\nlayers:\n  - match: '*.up.*'\n    bits: 5\n");
        var outcome = Shell.RunWithMounts(workspace, $"""
            mount --bind cache cache && mount -o remount,ro,bind cache cache
            touch cache/x 2>/dev/null && exit 99
            {Shell.Program} run source/model.safetensors --output out --cache cache
            """);
        if (outcome is null)
        {
            return;
        }

        Assert.True(outcome.ExitCode == ExitCodes.Ok, outcome.Error);
        Assert.Contains($"warning {Codes.CacheNotWritable}: ", Assert.Single(outcome.Diagnostics), StringComparison.Ordinal);
        Assert.Contains("2 layers: 1 cached, 1 encoded", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void CCH_01_UserWithoutAHomeHasNoCacheAndOneWarning()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // the profile is no variable
        }

        var outcome = Shell.Run(workspace, $"""
            unset XDG_CACHE_HOME COMPRESS_CACHE_DIR
            HOME=/nowhere {Shell.Program} run source/model.safetensors --output out
            """);

        Assert.True(outcome.ExitCode == ExitCodes.Ok, outcome.Error);
        Assert.Contains($"warning {Codes.CacheNotWritable}: there is no cache", Assert.Single(outcome.Diagnostics), StringComparison.Ordinal);
        Assert.True(File.Exists(workspace["out", "model.packed.safetensors"]));
        Assert.False(Directory.Exists("/nowhere"));
    }

    // A full disk where no mount is allowed: no file may be longer than 2 kB (4 kB by some shells), and the packed one is.
    [Fact]
    public void LimitOfFileSizesIsOneErrorAndLeavesTheLastGoodOutput()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // no such limits
        }

        Directory.CreateDirectory(workspace["out"]);
        workspace.Text(Path.Combine("out", "model.packed.safetensors"), "the last good one");
        // Without an ignored signal, the system would kill the program; without the variable, .NET could not make memory executable.
        var outcome = Shell.Run(workspace, $"""
            trap '' XFSZ
            ulimit -f 4
            DOTNET_EnableWriteXorExecute=0 {Shell.Program} run source/model.safetensors --output out --cache cache
            """);

        Assert.True(outcome.ExitCode == ExitCodes.Errors, outcome.Output);
        Assert.Contains($"error {Codes.OutputNotWritable}: ", Assert.Single(outcome.Diagnostics, line => line.Contains(": error ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal("the last good one", File.ReadAllText(workspace["out", "model.packed.safetensors"]));
        Assert.Equal(["model.packed.safetensors"], Directory.GetFileSystemEntries(workspace["out"]).Select(Path.GetFileName));
    }

    public void Dispose() => workspace.Dispose();
}
