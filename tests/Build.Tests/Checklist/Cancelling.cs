using System.Diagnostics;
using System.Globalization;
using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>CAN: a build that is stopped while the engine works. That the engine itself leaves nothing half-written is for Cli.Tests to show.</summary>
public sealed class Cancelling
{
    // Ctrl+C reaches the build alone here, as in editors; in a terminal it reaches the engine too, which then stops by itself.
    [Fact]
    public async Task CAN_01_EngineEndsWithTheBuildThatIsCancelled()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // elsewhere there is no /proc to find the engine in, or no such signal
        }

        using var app = new TestProject("App", """<CompressedModel Include="tiny.safetensors" />""", "");
        Weights.Write(app.PathOf("tiny.safetensors"));
        app.Restore();
        ScriptedEngine.Script(app, "progress: working\n", seconds: 3600);
        // Whoever runs the tests may ignore the signal, in the background of a script, and children inherit that.
        string[] arguments = ["--default-signal=INT", "dotnet", "build", app.ProjectFile, "--no-restore", "-nr:false", "-v:m", "-tl:off", ScriptedEngine.Argument];
        using var build = Process.Start(Tool.Start("env", arguments, app.Folder, TestRun.Current.Packages, app.Environment))!;
        Task<string> output = build.StandardOutput.ReadToEndAsync();
        int[] engines = [];
        while (engines.Length == 0)
        {
            Assert.False(build.HasExited);
            await Task.Delay(20);
            engines = Engines(app.Folder);
        }

        using var signal = Process.Start("kill", ["-INT", build.Id.ToString(CultureInfo.InvariantCulture)]);
        Assert.True(build.WaitForExit(TimeSpan.FromMinutes(2)), "the build did not end");
        Assert.Empty(Engines(app.Folder));
        Assert.NotEqual(0, build.ExitCode);
        Assert.True(!(await output).Contains("CMPR", StringComparison.Ordinal), await output);
        Assert.Empty(app.Files("obj", "*.Tiny.g.cs")); // nothing went on after it

        ScriptedEngine.Script(app, "");
        Assert.Equal(1, app.Build(ScriptedEngine.Argument).MustSucceed().EngineRuns);
    }

    // The processes whose command line names a request of the project.
    private static int[] Engines(string folder) =>
    [
        .. Directory.GetDirectories("/proc").Where(process =>
        {
            try
            {
                string line = File.ReadAllText(process + "/cmdline");
                return line.Contains(folder, StringComparison.Ordinal) && line.EndsWith(".request.json\0", StringComparison.Ordinal);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return false; // no process, or one that has ended
            }
        }).Select(process => int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture)),
    ];
}
