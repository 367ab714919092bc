using Compress.Cli.Console;

namespace Compress.Cli;

/// <summary>What a command is given of the world: all that a test replaces.</summary>
/// <param name="Terminal">Where it writes.</param>
/// <param name="Directory">What relative paths start from; absolute.</param>
/// <param name="Interruption">Tells when to stop.</param>
internal sealed record Session(Terminal Terminal, string Directory, Interruption Interruption)
{
    /// <summary>Cancelled when the program has to stop.</summary>
    public CancellationToken Cancellation => Interruption.Token;

    /// <summary>The clock that progress is paced by.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>True if unexpected errors show their stack: <c>--verbose</c>, or <c>COMPRESS_DEBUG=1</c>.</summary>
    public bool Verbose { get; set; } = Environment.GetEnvironmentVariable("COMPRESS_DEBUG") == "1";

    /// <summary>A path of the command line, made absolute.</summary>
    public string Absolute(string path) => Path.GetFullPath(path, Directory);
}
