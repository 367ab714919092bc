using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Compress.Cli.Tests.Infra;

/// <summary>The program as a process of its own, as users and MSBuild start it.</summary>
internal static partial class CliProcess
{
    /// <summary>compress.dll, built beside the tests.</summary>
    public static string Assembly { get; } = Path.Combine(AppContext.BaseDirectory, "compress.dll");

    /// <summary>The host that runs the tests runs the program too.</summary>
    public static string Host { get; } = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? Environment.ProcessPath ?? "dotnet";

    public static Process Start(string directory, params string[] args) => StartHost(directory, Host, ["exec", Assembly, .. args]);

    /// <summary>Starts it with Ctrl+C at its default, which what runs in the background of a shell does not have, and passes on.</summary>
    public static Process StartInForeground(string directory, params string[] args) =>
        OperatingSystem.IsLinux() ? StartHost(directory, "env", ["--default-signal=INT", Host, "exec", Assembly, .. args]) : Start(directory, args);

    /// <summary>Runs to the end.</summary>
    public static (int ExitCode, byte[] Output, string Error) Run(string directory, params string[] args) => Finish(Start(directory, args));

    /// <summary>Runs any program to the end.</summary>
    public static (int ExitCode, byte[] Output, string Error) RunHost(string directory, string host, params string[] args) =>
        Finish(StartHost(directory, host, args));

    public static (int ExitCode, byte[] Output, string Error) Finish(Process process)
    {
        using (process)
        {
            using var output = new MemoryStream();
            var error = process.StandardError.ReadToEndAsync();
            process.StandardOutput.BaseStream.CopyTo(output);
            process.WaitForExit();
            return (process.ExitCode, output.ToArray(), error.GetAwaiter().GetResult());
        }
    }

    /// <summary>Sends SIGINT (2) or SIGTERM (15).</summary>
    public static void Signal(Process process, int signal) => Assert.Equal(0, Kill(process.Id, signal));

    private static Process StartHost(string directory, string host, string[] args)
    {
        var start = new ProcessStartInfo(host, args)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardErrorEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        };
        return Process.Start(start)!;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
