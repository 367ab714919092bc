using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Compress.Build.Tests.Infra;
using Microsoft.Build.Logging.StructuredLogger;

namespace Compress.Build.Tests.Checklist;

/// <summary>LOG: what a build says of its work, what its log keeps, and that it tells nobody else.</summary>
public sealed class Logging : IClassFixture<SmallApp>
{
    private const string Recipe = "Models/compress.yaml";

    private readonly TestProject app;

    public Logging(SmallApp fixture)
    {
        app = fixture.App;
        Weights.Write(app.PathOf(SmallApp.Model));
        app.Write(Recipe, "version: 1\nmethod: uniform\nbits: 4\n");
        if (!File.Exists(app.PathOf("obj/project.assets.json")))
        {
            app.Restore();
        }
    }

    [Theory]
    [InlineData("-v:n", true)]
    [InlineData("-v:m", false)]
    [InlineData("-v:q", false)]
    public void LOG_01_SummaryIsOneLineFromNormalVerbosityOn(string verbosity, bool shown)
    {
        var build = app.Run("msbuild", "-t:BuildOnlySettings;CompressModels", "-p:CompressForce=true", verbosity).MustSucceed();
        // 2 matrices of 12,288 weights and a vector of 64, as floats; what the layers of another model take is not in the cache.
        const string Summary = @"^tiny: 49\.4 kB -> [0-9.]+ kB \([0-9.]+x\), 4\.[0-9]+ bits per weight, relative error 0\.[0-9]+; 2 layers: 0 cached, 2 encoded; 1 kept; [0-9.]+ m?s";
        Assert.Single(build.Messages, message => System.Text.RegularExpressions.Regex.IsMatch(message, Summary));
        Assert.Equal(shown, build.Output.Contains("tiny: 49.4 kB", StringComparison.Ordinal));
        if (verbosity == "-v:q")
        {
            Assert.Equal("", build.Output.Trim());
        }
    }

    [Fact]
    public void LOG_02_LogKeepsRecipeAndReportAndNoWeights()
    {
        string[] embedded = [.. app.Run("msbuild", "-t:BuildOnlySettings;CompressModels").MustSucceed().EmbeddedFiles];
        Assert.Contains(embedded, file => file.EndsWith("compress.yaml", StringComparison.Ordinal));
        Assert.Contains(embedded, file => file.EndsWith("tiny.report.json", StringComparison.Ordinal));
        Assert.DoesNotContain(embedded, file => file.EndsWith(".safetensors", StringComparison.Ordinal));

        // most wanted when it fails
        app.Write(Recipe, "bits: many\n");
        Assert.Contains(app.Run("msbuild", "-t:BuildOnlySettings;CompressModels").MustFail().EmbeddedFiles, file => file.EndsWith("compress.yaml", StringComparison.Ordinal));
    }

    // What is not called is not used.
    [Fact]
    public void LOG_03_NothingInThePackageCanReachANetwork()
    {
        using var package = ZipFile.OpenRead(Path.Combine(TestRun.Current.Feed, $"Compress.Tasks.{TestRun.Current.Version}.nupkg"));
        var assemblies = package.Entries.Where(entry => entry.Name.EndsWith(".dll", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(assemblies);
        foreach (var assembly in assemblies)
        {
            using var bytes = new MemoryStream();
            using (var entry = assembly.Open())
            {
                entry.CopyTo(bytes);
            }

            bytes.Position = 0;
            using var image = new PEReader(bytes);
            var metadata = image.GetMetadataReader();
            string[] used =
            [
                .. from handle in metadata.MemberReferences
                   let member = metadata.GetMemberReference(handle)
                   where member.Parent.Kind == HandleKind.TypeReference
                   let type = metadata.GetTypeReference((TypeReferenceHandle)member.Parent)
                   where metadata.GetString(type.Namespace).StartsWith("System.Net", StringComparison.Ordinal)
                   select metadata.GetString(type.Name) + "." + metadata.GetString(member.Name),
            ];
            // Spectre.Console puts the name of the machine into links to files.
            Assert.Equal(assembly.Name == "Spectre.Console.dll" ? ["Dns.GetHostName"] : [], used);
        }
    }
}
