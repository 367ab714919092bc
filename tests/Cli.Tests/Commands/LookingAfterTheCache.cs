using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.Commands;

public sealed class LookingAfterTheCache : IDisposable
{
    private readonly Workspace workspace = new();

    [Fact]
    public void StatsCountsEntries()
    {
        Assert.Equal($"{workspace.Cache}: 0 entries, 0 bytes\n", Cache("stats").Output);
        workspace.Packed(workspace.Model(TestModel.Ordinary()));
        Assert.Matches(@": 2 entries, \d\.\d\d kB\n$", Cache("stats").Output);
    }

    [Fact]
    public void TrimKeepsWhatFits()
    {
        workspace.Packed(workspace.Model(TestModel.Ordinary()));
        Assert.Matches(@"^0 entries removed, 0 bytes\n$", Cache("trim", "--max-size", "1MB").Output);
        Assert.Matches(@"^1 entries removed, \d\.\d\d kB\n$", Cache("trim", "--max-size", "4kB").Output);
        Assert.Matches(@"^1 entries removed, \d\.\d\d kB\n$", Cache("trim", "--max-size", "0").Output);
    }

    [Fact]
    public void ClearRemovesAll()
    {
        workspace.Packed(workspace.Model(TestModel.Ordinary()));
        Assert.Matches(@"^2 entries removed, \d\.\d\d kB\n$", Cache("clear").Output);
        Assert.EndsWith(": 0 entries, 0 bytes\n", Cache("stats").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void VerifyRemovesADamagedEntryWithAMessage()
    {
        workspace.Packed(workspace.Model(TestModel.Ordinary()));
        string entry = Directory.EnumerateFiles(workspace.Cache, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        byte[] bytes = File.ReadAllBytes(entry);
        bytes[^100] ^= 1;
        File.WriteAllBytes(entry, bytes);
        var outcome = Cache("verify");
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.StartsWith($"{entry}(1,1): message {Codes.CacheEntryDamaged}: ", Assert.Single(outcome.Diagnostics), StringComparison.Ordinal);
        Assert.Equal("2 entries checked, 1 damaged\n", outcome.Output);
        Assert.Equal("1 entries checked, 0 damaged\n", Cache("verify").Output);
    }

    public void Dispose() => workspace.Dispose();

    private Outcome Cache(params string[] args) => workspace.Run(["cache", .. args, "--cache", workspace.Cache]);
}
