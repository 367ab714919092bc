using System.Text.Json;
using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;
using Compress.Runtime;

namespace Compress.Cli.Tests.Commands;

public sealed class Running : IDisposable
{
    private readonly Workspace workspace = new();

    [Fact]
    public void WritesThePackedModelAndSaysWhatItDid()
    {
        string model = workspace.Model(TestModel.Ordinary());
        var outcome = workspace.Run("run", model, "--cache", workspace.Cache);
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.Empty(outcome.Error);
        string[] lines = outcome.Output.TrimEnd().Split('\n');
        Assert.Matches(
            @"^.*model\.packed\.safetensors: 31\.1 kB -> \d\.\d\d kB \(\d\.\d\dx\), 4\.\d\d bits per weight, relative error 0\.\d+$", lines[0]);
        Assert.Matches(@"^2 layers: 0 cached, 2 encoded; 2 kept; ", lines[1]);
        using var packed = PackedModel.OpenFile(workspace["model.packed.safetensors"]);
        Assert.Equal(["layers.0.down.weight", "layers.0.norm.weight", "layers.0.up.weight", "positions"], packed.Names);
        Assert.Equal("higgs", packed["layers.0.up.weight"].Codec);
    }

    [Fact]
    public void AgainTakesAllFromTheCacheAndWritesNothing()
    {
        string packed = workspace.Packed(workspace.Model(TestModel.Ordinary()));
        var written = File.GetLastWriteTimeUtc(packed);
        var outcome = workspace.Run("run", workspace["model.safetensors"], "--cache", workspace.Cache);
        Assert.Contains("2 layers: 2 cached, 0 encoded; 2 kept; ", outcome.Output, StringComparison.Ordinal);
        Assert.EndsWith("; the packed file was up to date\n", outcome.Output, StringComparison.Ordinal);
        Assert.Equal(written, File.GetLastWriteTimeUtc(packed));
    }

    [Fact]
    public void WithForceEncodesAnew()
    {
        workspace.Packed(workspace.Model(TestModel.Ordinary()));
        var outcome = workspace.Run("run", workspace["model.safetensors"], "--cache", workspace.Cache, "--force");
        Assert.Contains("2 layers: 0 cached, 2 encoded; 2 kept; ", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutCacheLeavesNothingButTheOutput()
    {
        string model = workspace.Model(TestModel.Ordinary());
        Assert.Equal(ExitCodes.Ok, workspace.Run("run", model, "--no-cache").ExitCode);
        Assert.Equal(["model.packed.safetensors", "model.safetensors"], workspace.Files());
    }

    [Fact]
    public void GivesTheSameBytesForAnyThreadsAndCache()
    {
        byte[] Bytes(string folder, params string[] options)
        {
            var outcome = workspace.Run(["run", Assets.Stories, "--output", workspace[folder], .. options]);
            Assert.True(outcome.ExitCode == ExitCodes.Ok, outcome.Error);
            return File.ReadAllBytes(workspace[folder, "model.packed.safetensors"]);
        }

        byte[] expected = Bytes("one", "--no-cache", "--threads", "1");
        Assert.Equal(expected, Bytes("two", "--no-cache", "--threads", "2"));
        Assert.Equal(expected, Bytes("cold", "--cache", workspace.Cache));
        Assert.Equal(expected, Bytes("warm", "--cache", workspace.Cache, "--threads", "2"));
    }

    [Theory]
    [InlineData("net.v2.safetensors", "net.v2.packed.safetensors")]
    [InlineData("NET.SAFETENSORS", "NET.packed.safetensors")]
    public void NamesTheOutputAfterTheModel(string model, string expected)
    {
        workspace.Model(TestModel.Ordinary(), model);
        Assert.Equal(ExitCodes.Ok, workspace.Run("run", model, "--no-cache", "--output", "out").ExitCode);
        Assert.True(File.Exists(workspace["out", expected]));
    }

    [Fact]
    public void NamesTheOutputOfAFolderAfterIt()
    {
        Directory.CreateDirectory(workspace["tiny"]);
        workspace.Model(TestModel.Ordinary(), Path.Combine("tiny", "model.safetensors"));
        Assert.Equal(ExitCodes.Ok, workspace.Run("run", "tiny/", "--no-cache").ExitCode);
        Assert.True(File.Exists(workspace["tiny.packed.safetensors"]));
    }

    [Fact]
    public void FollowsTheRecipe()
    {
        string recipe = workspace.Text("r.yaml", "version: 1\nmethod: uniform\nbits: 8\nlayers:\n  - match: '*.down.*'\n    keep: float16\n");
        using var packed = PackedModel.OpenFile(workspace.Packed(workspace.Model(TestModel.Ordinary()), "--recipe", recipe));
        Assert.Equal("uniform", packed["layers.0.up.weight"].Codec);
        Assert.Equal("keep", packed["layers.0.down.weight"].Codec);
        Assert.Equal(16, packed["layers.0.down.weight"].BitsPerWeight);
    }

    [Fact]
    public void ShowsWarningsAndSucceeds()
    {
        string recipe = workspace.Text("r.yaml", "version: 1\nlayers:\n  - match: 'no.such.*'\n    bits: 8\n");
        var outcome = workspace.Run("run", workspace.Model(TestModel.Ordinary()), "--cache", workspace.Cache, "--recipe", recipe);
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.StartsWith($"{recipe}(3,12): warning {Codes.RecipeMatchesNothing}: ", Assert.Single(outcome.Diagnostics), StringComparison.Ordinal);
    }

    [Fact]
    public void ShowsTheLayersWhenAsked()
    {
        var outcome = workspace.Run("run", workspace.Model(TestModel.Ordinary()), "--no-cache", "--layers");
        string[] lines = outcome.Output.Split('\n');
        Assert.Equal(["name", "shape", "codec", "bits/weight", "relative", "MSE", "bytes", "cache", "ms"],
            lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Matches(@"^layers\.0\.down\.weight +\[80, 48\] +higgs +\d\.\d\d +0\.\d+ +\d,\d+ +miss +\d+$", lines[1]);
        Assert.Matches(@"^layers\.0\.norm\.weight +\[80\] +keep +32\.00 +0 +320 +kept +\d+$", lines[2]);
    }

    [Fact]
    public void WritesTheReport()
    {
        string report = workspace["deep", "report.json"];
        workspace.Packed(workspace.Model(TestModel.Ordinary()), "--report", report);
        using var json = JsonDocument.Parse(File.ReadAllBytes(report));
        var root = json.RootElement;
        Assert.Equal(
            ["model", "sourceBytes", "packedBytes", "memoryBytes", "bitsPerWeight", "relativeMse", "cacheHits", "cacheMisses", "cacheSalt", "milliseconds", "evaluations", "layers"],
            root.EnumerateObject().Select(property => property.Name));
        Assert.Equal(workspace["model.safetensors"], root.GetProperty("model").GetString());
        Assert.Equal((48 * 80 * 2 * 4) + (80 * 4) + 24, root.GetProperty("sourceBytes").GetInt64());
        Assert.Equal(new FileInfo(workspace["model.packed.safetensors"]).Length, root.GetProperty("packedBytes").GetInt64());
        Assert.Equal((0, 2), (root.GetProperty("cacheHits").GetInt32(), root.GetProperty("cacheMisses").GetInt32()));
        var layers = root.GetProperty("layers").EnumerateArray().ToList();
        Assert.All(layers, layer => Assert.Equal(
            ["name", "shape", "codec", "bitsPerWeight", "relativeMse", "bytes", "cache", "milliseconds", "key", "memoryBytes"],
            layer.EnumerateObject().Select(property => property.Name)));
        Assert.Equal(["miss", "kept", "miss", "kept"], layers.Select(layer => layer.GetProperty("cache").GetString()));
        Assert.Equal([80, 48], layers[0].GetProperty("shape").EnumerateArray().Select(side => side.GetInt32()));
        Assert.All(layers, layer => Assert.Equal(
            ["codec", "codecVersion", "settings", "dtype", "shape", "weights", "statistics"],
            layer.GetProperty("key").EnumerateObject().Select(property => property.Name)));
        // The mean over the two layers: equal sizes, and nearly equal energies.
        Assert.Equal(
            (layers[0].GetProperty("bitsPerWeight").GetDouble() + layers[2].GetProperty("bitsPerWeight").GetDouble()) / 2,
            root.GetProperty("bitsPerWeight").GetDouble(), 1e-9);
        Assert.Equal(
            (layers[0].GetProperty("relativeMse").GetDouble() + layers[2].GetProperty("relativeMse").GetDouble()) / 2,
            root.GetProperty("relativeMse").GetDouble(), 2e-4);
    }

    [Theory]
    [InlineData("Off", 0)]
    [InlineData("readonly", 0)]
    [InlineData("ReadWrite", 2)]
    public void ModeSaysWhatMayBeDoneToTheCache(string mode, int entries)
    {
        workspace.Packed(workspace.Model(TestModel.Ordinary()), "--cache-mode", mode);
        Assert.StartsWith($"{workspace.Cache}: {entries} entries, ", workspace.Run("cache", "stats", "--cache", workspace.Cache).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherSaltFindsNothing()
    {
        workspace.Packed(workspace.Model(TestModel.Ordinary()));
        var outcome = workspace.Run("run", "model.safetensors", "--cache", workspace.Cache, "--cache-salt", "2");
        Assert.Contains("2 layers: 0 cached, 2 encoded; 2 kept; ", outcome.Output, StringComparison.Ordinal);
        Assert.EndsWith("; the packed file was up to date\n", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void KeepsTheCacheBelowItsSize()
    {
        workspace.Packed(workspace.Model(TestModel.Ordinary()));
        workspace.Packed(workspace.Model(new TestModel().AddGaussian("w", 48, 80, 9), "other.safetensors"), "--cache-max-size", "1kB");
        Assert.StartsWith($"{workspace.Cache}: 1 entries, ", workspace.Run("cache", "stats", "--cache", workspace.Cache).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void CancelledLeavesNothing()
    {
        string model = workspace.Model(TestModel.Ordinary());
        using var interruption = new Interruption();
        interruption.Stop();
        var outcome = workspace.Run(interruption, "run", model, "--cache", workspace.Cache);
        Assert.Equal(ExitCodes.Cancelled, outcome.ExitCode);
        Assert.Equal("compress: cancelled\n", outcome.Error);
        Assert.Equal(["model.safetensors"], workspace.Files());
    }

    public void Dispose() => workspace.Dispose();
}
