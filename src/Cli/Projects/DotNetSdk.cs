using Compress.Core.Diagnostics;
using Microsoft.Build.Locator;

namespace Compress.Cli.Projects;

/// <summary>
/// The .NET SDK whose MSBuild evaluates projects: the one that a build in that folder would use. It has to be found before any type of
/// MSBuild is touched, so nothing here may name one.
/// </summary>
internal static class DotNetSdk
{
    /// <summary>Finds it, once per process.</summary>
    /// <param name="directory">Where a global.json is looked for.</param>
    /// <exception cref="CompressException">There is none.</exception>
    public static void Find(string directory)
    {
        if (MSBuildLocator.IsRegistered)
        {
            return;
        }

        var options = new VisualStudioInstanceQueryOptions { DiscoveryTypes = DiscoveryType.DotNetSdk, WorkingDirectory = directory };
        var sdk = MSBuildLocator.QueryVisualStudioInstances(options).FirstOrDefault()
            ?? throw new CompressException(Codes.SdkTooOld,
                "no .NET SDK was found that can evaluate projects; install the .NET SDK 10, or look at global.json", directory);
        MSBuildLocator.RegisterInstance(sdk);
    }
}
