namespace Compress.Core.Caching;

/// <summary>Where the local cache lives.</summary>
public static class CacheDirectory
{
    /// <summary>The environment variable that names it.</summary>
    public const string Variable = "COMPRESS_CACHE_DIR";

    /// <summary>
    /// <c>COMPRESS_CACHE_DIR</c> if set; else <c>compress</c> in <c>XDG_CACHE_HOME</c>, in the local application data (Windows),
    /// or in <c>~/.cache</c>. Null if the user has no home.
    /// </summary>
    public static string? Default
    {
        get
        {
            if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            {
                return Path.GetFullPath(named);
            }

            string? root = OperatingSystem.IsWindows()
                ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg)
                    ? xdg // a relative one is to be ignored, by the XDG Base Directory Specification
                    : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home ? Path.Combine(home, ".cache") : null;
            return string.IsNullOrEmpty(root) || !Path.IsPathRooted(root) ? null : Path.Combine(root, "compress");
        }
    }
}
