using System.Diagnostics;
using Compress.Cli.Tests.Infra;
using Compress.Tests;
using Xunit.Abstractions;

namespace Compress.Cli.Tests.Faults;

/// <summary>CCH-03. The engine is killed as the system kills it for lack of memory: without a chance to clean up.</summary>
public sealed class KilledEngine(ITestOutputHelper output) : IDisposable
{
    private const int Seed = 4;
    private const int Layers = 12;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly Workspace workspace = new();

    [Fact]
    public async Task CCH_03_AfterAKillAtAnyTimeTheNextRunGivesTheBytesOfACleanOne()
    {
        var engine = new Engine(workspace, "model", Layers);
        engine.RunWell();
        byte[] packed = File.ReadAllBytes(engine.Packed);
        var clock = Stopwatch.StartNew();
        engine.Forget();
        engine.RunWell();
        var whole = clock.Elapsed; // with warm file caches, as in the rounds
        byte[] old = [1, 2, 3];
        var random = new Random(Seed);
        int before = 0, during = 0, after = 0, entriesFound = 0;
        for (int round = 0; round < Effort.Kills; round++)
        {
            engine.Forget();
            File.WriteAllBytes(engine.Packed, old);
            using (var process = engine.Start())
            {
                double when = random.NextDouble();
                if (round % 2 == 0)
                {
                    process.WaitForExit(whole * (when * 1.1));
                }
                else
                {
                    // Starting takes longer than the work: in every other round, the kill is to hit the work.
                    await WaitUntil(() => Engine.FilesIn(workspace.Cache, "*.layer").Length > when * Layers || process.HasExited);
                    await Task.Delay(random.Next(20));
                }

                process.Kill();
                Assert.True(process.WaitForExit(Limit), "still running");
            }

            byte[] found = File.ReadAllBytes(engine.Packed);
            Assert.True(found.AsSpan().SequenceEqual(old) || found.AsSpan().SequenceEqual(packed), $"round {round}: {found.Length} bytes");
            int entries = Engine.FilesIn(workspace.Cache, "*.layer").Length;
            entriesFound += entries;
            _ = entries == 0 ? before++ : found.Length == old.Length ? during++ : after++;

            engine.RunWell();
            Assert.True(File.ReadAllBytes(engine.Packed).AsSpan().SequenceEqual(packed), $"round {round}: other bytes than a clean run");
            Assert.Empty(Engine.FilesIn(workspace.Cache, "*.lock"));
        }

        var verify = workspace.Run("cache", "verify", "--cache", workspace.Cache);
        Assert.Equal($"{Layers} entries checked, 0 damaged\n", verify.Output);
        output.WriteLine(
            $"{Effort.Kills} kills (seed {Seed}) of a run of {whole.TotalMilliseconds:0} ms: {before} before the first layer, {during} between the first layer and the output, "
            + $"{after} after the output; {entriesFound} layers survived");
    }

    [Fact]
    public async Task KilledHolderDoesNotBlockThoseWhoWait()
    {
        var first = new Engine(workspace, "first", layers: 60, rows: 1024);
        var second = new Engine(workspace, "second", layers: 60, rows: 1024);
        using var holder = first.Start();
        await WaitUntil(() => Engine.FilesIn(workspace.Cache, "*.lock").Length > 0);
        Assert.False(holder.HasExited, "ended before it was stopped");
        using var waiting = second.Start();
        await Task.Delay(200);
        holder.Kill();

        Assert.True(waiting.WaitForExit(Limit), "still running");
        Assert.Equal(ExitCodes.Ok, waiting.ExitCode);
        Assert.Equal(60, Engine.FilesIn(workspace.Cache, "*.layer").Length);
    }

    public void Dispose() => workspace.Dispose();

    private static async Task WaitUntil(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < Limit, "has not begun");
            await Task.Delay(2);
        }
    }
}
