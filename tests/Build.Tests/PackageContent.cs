using System.IO.Compression;
using Compress.Build.Tests.Infra;
using Compress.Tasks;

namespace Compress.Build.Tests;

/// <summary>What is in the package, to the file.</summary>
public sealed class PackageContent
{
    [Fact]
    public void IsWhatItShouldBe()
    {
        using var package = ZipFile.OpenRead(Assert.Single(Directory.GetFiles(TestRun.Current.Feed, "Compress.Tasks.*.nupkg")));
        string[] names = [.. package.Entries.Select(entry => entry.FullName).Where(name => !name.StartsWith("_rels/", StringComparison.Ordinal)
            && !name.StartsWith("package/", StringComparison.Ordinal) && name != "[Content_Types].xml").Order(StringComparer.Ordinal)];
        Assert.Equal(
            [
                "Compress.Tasks.nuspec",
                "README.md",
                "build/Compress.Tasks.props",
                "build/Compress.Tasks.targets",
                "build/inner/CompressModel.proj",
                "build/rules/CompressedModel.xaml",
                "buildMultiTargeting/Compress.Tasks.targets",
                "icon.png",
                "schema/compress.schema.json",
                "tasks/netstandard2.0/Compress.Tasks.dll",
                "tools/net10.0/any/Compress.Core.dll",
                "tools/net10.0/any/Compress.Runtime.dll",
                "tools/net10.0/any/Microsoft.Build.Locator.dll",
                "tools/net10.0/any/Spectre.Console.dll",
                "tools/net10.0/any/System.CommandLine.dll",
                "tools/net10.0/any/System.Numerics.Tensors.dll",
                "tools/net10.0/any/YamlDotNet.dll",
                "tools/net10.0/any/compress.deps.json",
                "tools/net10.0/any/compress.dll",
                "tools/net10.0/any/compress.runtimeconfig.json",
            ],
            names);

        using var nuspec = new StreamReader(package.GetEntry("Compress.Tasks.nuspec")!.Open());
        string text = nuspec.ReadToEnd();
        Assert.Contains($"<dependency id=\"Compress.Runtime\" version=\"{TestRun.Current.Version}\" />", text);
        Assert.DoesNotContain(TestRun.Repository, text);
    }

    [Fact]
    public void TaskNeedsNothingButTheHost()
    {
        string[] hosts = ["netstandard", "Microsoft.Build.Framework", "Microsoft.Build.Utilities.Core", "System.Text.Json", "System.Memory"];
        var references = typeof(CompressResolveModels).Assembly.GetReferencedAssemblies().Select(name => name.Name!);
        Assert.All(references, name => Assert.Contains(name, hosts));
    }
}
