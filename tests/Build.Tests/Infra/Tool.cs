using System.Diagnostics;
using System.Text;

namespace Compress.Build.Tests.Infra;

/// <summary>Runs programs in a clean environment and keeps what they say.</summary>
internal static class Tool
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    // What dotnet test and CI systems leave in the environment would change how the inner builds behave.
    private static readonly string[] Unwanted = ["MSBUILD", "GITHUB_", "BUILD_", "SYSTEM_", "TF_BUILD", "COMPRESS", "NUGET_", "VSTEST_", "DOTNET_HOST_PATH"];

    public static (int ExitCode, string Output) Run(
        string program, IEnumerable<string> arguments, string folder, string packages, IReadOnlyDictionary<string, string>? environment = null)
    {
        using var process = Process.Start(Start(program, arguments, folder, packages, environment))!;
        var output = new StringBuilder();
        DataReceivedEventHandler keep = (_, line) =>
        {
            lock (output)
            {
                output.AppendLine(line.Data);
            }
        };
        process.OutputDataReceived += keep;
        process.ErrorDataReceived += keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)}\n{output}");
        }

        process.WaitForExit(); // for the last lines of output
        return (process.ExitCode, output.ToString());
    }

    /// <summary>How a program is started: with its output redirected, and nothing in its environment that would change a build.</summary>
    public static ProcessStartInfo Start(
        string program, IEnumerable<string> arguments, string folder, string packages, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (string name in start.Environment.Keys.ToArray())
        {
            if (name == "CI" || Unwanted.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
            {
                start.Environment.Remove(name);
            }
        }

        start.Environment["NUGET_PACKAGES"] = packages;
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return start;
    }
}
