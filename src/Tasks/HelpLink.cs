using System.Linq;
using System.Reflection;

namespace Compress.Tasks;

/// <summary>Where a code is explained: the address that Directory.Build.props gives docs/diagnostics.md, if the repository has one.</summary>
internal static class HelpLink
{
    private static readonly string? Page = typeof(HelpLink).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(attribute => attribute.Key == "DiagnosticsUrl")?.Value;

    /// <summary>The link for a code; null if there is none.</summary>
    public static string? Of(string code) => Of(code, Page);

    /// <summary>The section of a code on a page.</summary>
    public static string? Of(string code, string? page) => string.IsNullOrEmpty(page) ? null : page + "#" + code.ToLowerInvariant();
}
