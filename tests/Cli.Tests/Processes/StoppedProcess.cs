using System.Diagnostics;
using System.Text.Json;
using Compress.Cli.Tests.Infra;

namespace Compress.Cli.Tests.Processes;

/// <summary>However and whenever the program is stopped, the output is the last good one or the new one.</summary>
public sealed class StoppedProcess : IDisposable
{
    private const int SigInt = 2, SigTerm = 15;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly Workspace workspace = new();

    [Theory]
    [InlineData(SigInt)]
    [InlineData(SigTerm)]
    public void BySignalItLeavesNothing(int signal)
    {
        if (OperatingSystem.IsWindows())
        {
            return; // no signals
        }

        LongWork();
        using var process = CliProcess.StartInForeground(workspace.Root, "run", "model.safetensors", "--no-cache", "--threads", "1");
        WaitUntilAtWork(process);
        CliProcess.Signal(process, signal);
        Assert.True(process.WaitForExit(Limit), "still running");
        Assert.Equal(ExitCodes.Cancelled, process.ExitCode);
        Assert.Equal("compress: cancelled", process.StandardError.ReadToEnd().TrimEnd());
        Assert.Equal(["model.safetensors"], workspace.Files());
    }

    [Fact]
    public void ByKillTheOutputIsTheOldOneOrTheNewOne()
    {
        workspace.Model(TestModel.Ordinary());
        string output = workspace["model.packed.safetensors"];
        var started = Stopwatch.StartNew();
        var first = CliProcess.Run(workspace.Root, "run", "model.safetensors", "--no-cache");
        Assert.True(first.ExitCode == ExitCodes.Ok, first.Error);
        var whole = started.Elapsed;
        byte[] packed = File.ReadAllBytes(output);
        byte[] old = [1, 2, 3];
        var random = new Random(4);
        for (int round = 0; round < 5; round++)
        {
            File.WriteAllBytes(output, old);
            using var process = CliProcess.Start(workspace.Root, "run", "model.safetensors", "--no-cache");
            process.WaitForExit(whole * (0.5 + (0.5 * random.NextDouble())));
            process.Kill();
            Assert.True(process.WaitForExit(Limit), "still running");
            byte[] found = File.ReadAllBytes(output);
            Assert.True(found.AsSpan().SequenceEqual(old) || found.AsSpan().SequenceEqual(packed), $"round {round}: {found.Length} bytes");
        }

        // What the killed ones left behind goes with the next run, whether it writes the file or finds it as it is to be; not what is
        // so young that its writer may live.
        foreach (string leftOver in Directory.GetFiles(workspace.Root, "*.tmp"))
        {
            File.SetLastWriteTimeUtc(leftOver, DateTime.UtcNow.AddMinutes(-1));
        }

        var last = CliProcess.Run(workspace.Root, "run", "model.safetensors", "--no-cache", "--force");
        Assert.True(last.ExitCode == ExitCodes.Ok, last.Error);
        Assert.Equal(packed, File.ReadAllBytes(output));
        Assert.Equal(["model.packed.safetensors", "model.safetensors"], workspace.Files());
    }

    [Fact]
    public void WhatItLeftBehindGoesThoughTheOutputIsThere()
    {
        workspace.Model(TestModel.Ordinary());
        Assert.Equal(ExitCodes.Ok, CliProcess.Run(workspace.Root, "run", "model.safetensors", "--no-cache").ExitCode);
        string leftOver = workspace[".model.packed.safetensors.0123456789abcdef0123456789abcdef.tmp"];
        File.WriteAllBytes(leftOver, [1]);
        File.SetLastWriteTimeUtc(leftOver, DateTime.UtcNow.AddMinutes(-1));

        Assert.Equal(ExitCodes.Ok, CliProcess.Run(workspace.Root, "run", "model.safetensors", "--no-cache").ExitCode);

        Assert.Equal(["model.packed.safetensors", "model.safetensors"], workspace.Files());
    }

    [Fact]
    public void ByTheEndOfTheBuildItStops()
    {
        LongWork();
        using var build = Process.Start(new ProcessStartInfo(OperatingSystem.IsWindows() ? "cmd" : "sleep", OperatingSystem.IsWindows() ? "/c timeout 600" : "600"))!;
        workspace.Text("request.json", JsonSerializer.Serialize(new
        {
            models = new[]
            {
                new
                {
                    model = workspace["model.safetensors"],
                    recipe = (string?)null,
                    output = workspace["model.packed"],
                    report = workspace["report.json"],
                    record = workspace["record.json"],
                },
            },
            cache = workspace.Cache,
            threads = 1,
            parent = build.Id,
        }));
        using var process = CliProcess.Start(workspace.Root, "msbuild", "request.json");
        WaitUntilAtWork(process);
        build.Kill();
        Assert.True(process.WaitForExit(Limit), "still running");
        Assert.Equal(ExitCodes.Cancelled, process.ExitCode);
        Assert.Equal(["model.safetensors", "request.json"], workspace.Files());
    }

    public void Dispose() => workspace.Dispose();

    // Some seconds of encoding, in layers of which the first is done soon.
    private void LongWork()
    {
        var model = new TestModel();
        float[] values = TestModel.Gaussian(256 * 1024, 1);
        for (int layer = 0; layer < 60; layer++)
        {
            values[0] = layer; // no two layers are the same
            model.Add($"layers.{layer}.weight", [256, 1024], values);
        }

        workspace.Model(model);
    }

    // The first encoded layer appears in the cache, or beside the output.
    private void WaitUntilAtWork(Process process)
    {
        var waiting = Stopwatch.StartNew();
        var everywhere = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };
        while (!Directory.EnumerateFiles(workspace.Root, "*.layer", everywhere).Any())
        {
            Assert.False(process.HasExited, "ended before it was stopped");
            Assert.True(waiting.Elapsed < Limit, "has not begun");
            Thread.Sleep(10);
        }
    }
}
