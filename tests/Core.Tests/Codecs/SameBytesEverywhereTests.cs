using System.Diagnostics;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Codecs;

/// <summary>Runs tests/HashProbe in processes of other abilities and compares every hash.</summary>
public class SameBytesEverywhereTests
{
    private static readonly Lazy<Output> Plain = new(() => Probe(1));

    [Fact]
    public void WithoutAvx2()
    {
        var output = Probe(1, ("DOTNET_EnableAVX2", "0"));
        Assert.Contains("Vector256 False", output.Abilities, StringComparison.Ordinal);
        Assert.Equal(Plain.Value.Hashes, output.Hashes);
    }

    [Fact]
    public void WithoutAvx512()
    {
        var output = Probe(1, ("DOTNET_EnableAVX512", "0"));
        Assert.Contains("Vector512 False", output.Abilities, StringComparison.Ordinal);
        Assert.Equal(Plain.Value.Hashes, output.Hashes);
    }

    [Fact]
    public void WithoutAnyHardwareIntrinsics()
    {
        var output = Probe(1, ("DOTNET_EnableHWIntrinsic", "0"));
        Assert.Contains("Vector128 False Vector256 False", output.Abilities, StringComparison.Ordinal);
        Assert.Equal(Plain.Value.Hashes, output.Hashes);
    }

    [Theory]
    [InlineData("Scalar")]
    [InlineData("Vector128")]
    public void WithOtherKernelsOfTheRuntime(string kernel) =>
        Assert.Equal(Plain.Value.Hashes, Probe(1, ("COMPRESS_KERNEL", kernel)).Hashes);

    [Fact]
    public void WithSeveralThreads() => Assert.Equal(Plain.Value.Hashes, Probe(5).Hashes);

    [Fact]
    public void WithoutTieredCompilation() => Assert.Equal(Plain.Value.Hashes, Probe(1, ("DOTNET_TieredCompilation", "0")).Hashes);

    private static Output Probe(int threads, params (string Name, string Value)[] environment)
    {
        string Beside(string file) => Path.Combine(AppContext.BaseDirectory, file);
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet",
        [
            "exec", "--runtimeconfig", Beside("Compress.Core.Tests.runtimeconfig.json"), "--depsfile", Beside("Compress.Core.Tests.deps.json"),
            Beside("Compress.HashProbe.dll"), $"{threads}", Assets.LanguageModels,
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        string[] lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0 && lines.Length > 50, $"exit code {process.ExitCode}: {error.Result}");
        return new(lines[0], lines[1..]);
    }

    private sealed record Output(string Abilities, string[] Hashes);
}
