using System.CommandLine;
using Compress.Core.Caching;

namespace Compress.Cli.Commands;

/// <summary>Options that several commands have.</summary>
internal static class CommonOptions
{
    public static Option<string> Cache() => new("--cache")
    {
        Description = $"The folder of the layer cache. Default: {CacheDirectory.Variable}, else the user's cache folder.",
        HelpName = "DIR",
    };

    /// <summary>The folder that the option names, else the default; null if the user has none.</summary>
    public static string? CachePath(Session session, string? named) =>
        named is null ? CacheDirectory.Default : session.Absolute(named);
}
