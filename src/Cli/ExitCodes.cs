namespace Compress.Cli;

/// <summary>What the program tells its caller.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>At least one diagnostic was an error.</summary>
    public const int Errors = 1;

    /// <summary>The command line was not understood.</summary>
    public const int Usage = 2;

    /// <summary>Stopped by Ctrl+C, SIGTERM or the end of the parent: 128 + SIGINT, as shells have it.</summary>
    public const int Cancelled = 130;
}
