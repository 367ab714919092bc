using System.Text;

namespace Compress.Cli.Tests.Infra;

/// <summary>Scripts that put the program into a place that is hostile to it. On Linux and macOS.</summary>
internal static class Shell
{
    /// <summary>What starts the program in a script.</summary>
    public static string Program { get; } = $"'{CliProcess.Host}' exec '{CliProcess.Assembly}'";

    /// <summary>Runs a script with the test's folder as the current one.</summary>
    public static Outcome Run(Workspace workspace, string script) => Outcome(CliProcess.RunHost(workspace.Root, "sh", "-c", script));

    /// <summary>
    /// Runs a script in a namespace of its own, in which it may mount file systems that nobody else sees. Null where the system does not
    /// allow that: not Linux, no <c>unshare</c>, or no user namespaces.
    /// </summary>
    public static Outcome? RunWithMounts(Workspace workspace, string script)
    {
        const int NotAllowed = 77;
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            string guarded = $"mount -t tmpfs tmpfs /mnt || exit {NotAllowed}\n{script}";
            var outcome = Outcome(CliProcess.RunHost(workspace.Root, "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", guarded));
            return outcome.ExitCode == NotAllowed || outcome.Error.StartsWith("unshare:", StringComparison.Ordinal) ? null : outcome;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // no unshare
        }
    }

    private static Outcome Outcome((int ExitCode, byte[] Output, string Error) found) =>
        new(found.ExitCode, Encoding.UTF8.GetString(found.Output), found.Error);
}
