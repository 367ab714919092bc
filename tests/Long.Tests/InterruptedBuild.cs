using System.Diagnostics;
using System.Globalization;
using Compress.Build.Tests.Infra;
using Xunit.Abstractions;

namespace Compress.LongTests;

/// <summary>Ctrl+C at a terminal: the signal reaches the build and the engine, which is at work.</summary>
public sealed class InterruptedBuild(ITestOutputHelper output)
{
    private const int Rounds = 10;
    private const int Seed = 9;

    [Fact]
    public void LeavesNoProcessAndNoPartOfAnOutput()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // no such signal, or no /proc to find processes in
        }

        using var app = new TestProject("App", """<CompressedModel Include="long.safetensors" Storage="File" />""", "");
        SparseModel.Write(app.PathOf("long.safetensors"), layers: 96, side: 2048, Seed);
        app.Build().MustSucceed();
        byte[] packed = File.ReadAllBytes(Assert.Single(app.PackedFiles));
        string cache = Path.Combine(app.Solution, "cache");
        var random = new Random(Seed);
        int layers = 0;
        double slowest = 0;
        for (int round = 0; round < Rounds; round++)
        {
            Directory.Delete(app.PathOf("obj/compress"), recursive: true);
            Directory.Delete(cache, recursive: true);
            using var build = Start(app);
            var clock = Stopwatch.StartNew();
            while (Files(cache, "*.layer").Length == 0)
            {
                Assert.False(build.HasExited, "ended before it was stopped");
                Assert.True(clock.Elapsed < TimeSpan.FromMinutes(2), "has not begun");
                Thread.Sleep(10);
            }

            Thread.Sleep(random.Next(1500));
            clock.Restart();
            using var signal = Process.Start("kill", ["-INT", "--", (-build.Id).ToString(CultureInfo.InvariantCulture)]); // the whole group
            Assert.True(build.WaitForExit(TimeSpan.FromMinutes(2)), "the build did not end");
            slowest = Math.Max(slowest, clock.Elapsed.TotalSeconds);

            Assert.NotEqual(0, build.ExitCode);
            Assert.Empty(Engines(app.Folder));
            Assert.Empty(Files(app.PathOf("obj/compress"), "*.tmp"));
            Assert.Empty(Files(app.PathOf("obj/compress"), "*.layer*"));
            Assert.Empty(Files(app.PathOf("obj/compress"), "*.packed.safetensors"));
            Assert.Empty(Files(cache, "*.tmp"));
            Assert.Empty(Files(cache, "*.lock"));
            layers += Files(cache, "*.layer").Length;
        }

        app.Build().MustSucceed();
        Assert.Equal(packed, File.ReadAllBytes(Assert.Single(app.PackedFiles)));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Rounds} builds interrupted (seed {Seed}); the slowest ended {slowest:0.0} s after the signal; {layers} of {Rounds * 96} layers were done and stay in the cache"));
    }

    // A session, and so a group of processes, of its own.
    private static Process Start(TestProject app)
    {
        var start = new ProcessStartInfo("setsid", ["dotnet", "build", app.ProjectFile, "--no-restore", "-nr:false", "-v:q", "-tl:off"])
        {
            WorkingDirectory = app.Folder,
            RedirectStandardOutput = true,
        };
        start.Environment["NUGET_PACKAGES"] = TestRun.Current.Packages;
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    private static string[] Files(string folder, string pattern) => Directory.Exists(folder)
        ? Directory.GetFiles(folder, pattern, new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
        : [];

    private static string[] Engines(string folder) => [.. Directory.GetDirectories("/proc").Where(process =>
    {
        try
        {
            string line = File.ReadAllText(process + "/cmdline");
            return line.Contains("compress.dll\0msbuild", StringComparison.Ordinal) && line.Contains(folder, StringComparison.Ordinal);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // no process, or one that has ended
        }
    })];
}
