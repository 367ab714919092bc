using System.Text.Json;
using Compress.Cli.Tests.Infra;
using Compress.Tests;
using Xunit.Abstractions;

namespace Compress.Cli.Tests.Faults;

/// <summary>Many builds of the same layers start at once on an empty cache.</summary>
public sealed class ManyBuildsAtOnce(ITestOutputHelper output) : IDisposable
{
    private const int Layers = 24;

    private readonly Workspace workspace = new();

    [Fact]
    public void ComputeEveryLayerOnceAndReadNoTornEntry()
    {
        Engine[] engines = [.. Enumerable.Range(0, Effort.Builds).Select(build => new Engine(workspace, $"build{build}", Layers))];

        var processes = engines.Select(engine => engine.Start()).ToList();
        processes.ForEach(Engine.Finish); // a damaged entry would be said

        int hits = 0, misses = 0, contributors = 0;
        foreach (var engine in engines)
        {
            using var report = JsonDocument.Parse(File.ReadAllBytes(engine.Report));
            int computed = report.RootElement.GetProperty("cacheMisses").GetInt32();
            hits += report.RootElement.GetProperty("cacheHits").GetInt32();
            misses += computed;
            contributors += computed > 0 ? 1 : 0;
        }

        Assert.Equal(Layers, misses);
        Assert.Equal(Layers * (Effort.Builds - 1), hits);
        Assert.Single(engines.Select(engine => Convert.ToHexString(File.ReadAllBytes(engine.Packed))).Distinct());
        Assert.Empty(Engine.FilesIn(workspace.Cache, "*.lock"));
        Assert.Empty(Engine.FilesIn(workspace.Cache, "*.tmp"));
        Assert.Equal($"{Layers} entries checked, 0 damaged\n", workspace.Run("cache", "verify", "--cache", workspace.Cache).Output);
        output.WriteLine($"{Effort.Builds} builds of {Layers} layers: {misses} layers computed, by {contributors} of the builds; {hits} taken from the cache");
    }

    public void Dispose() => workspace.Dispose();
}
