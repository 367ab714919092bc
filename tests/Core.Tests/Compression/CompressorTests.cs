using System.Security.Cryptography;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Compression;

/// <summary>A model of two matrices, a vector and an integer table, and what is needed to compress it.</summary>
public abstract class CompressionTest : IDisposable
{
    private readonly TempFolder folder = new();

    protected CompressionTest()
    {
        Directory.CreateDirectory(folder["model"]);
        Directory.CreateDirectory(folder["out"]);
        Standard().Write(ModelPath);
    }

    internal DiagnosticBag Diagnostics { get; private set; } = new();

    protected string ModelPath => folder["model", "m.safetensors"];

    protected string RecipePath => folder["model", "compress.yaml"];

    protected string OutputPath => folder["out", "m.packed.safetensors"];

    protected string CachePath => folder["cache"];

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    internal static TestModel Standard(int seedOfB = 2) => new TestModel()
        .AddGaussian("a.weight", 64, 96, 1)
        .AddGaussian("b.weight", 128, 64, seedOfB)
        .Add("norm.weight", [4], 1f, 2f, 3f, 4f)
        .Add("position", DType.I64, [2], [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);

    internal CompressionReport? Run(
        bool cache = true, int threads = 2, bool force = false, IProgress<CompressionProgress>? progress = null, CancellationToken token = default)
    {
        Diagnostics = new DiagnosticBag();
        var request = new CompressionRequest(ModelPath, null, OutputPath)
        {
            CacheDirectory = cache ? CachePath : null,
            Threads = threads,
            Force = force,
        };
        return Compressor.Run(request, Diagnostics, progress, token);
    }

    internal CompressionReport RunWell(bool cache = true, int threads = 2, bool force = false)
    {
        var report = Run(cache, threads, force);
        Assert.Empty(Diagnostics.Items);
        return report!;
    }

    protected void Recipe(string text) => File.WriteAllText(RecipePath, text);

    protected string OutputHash() => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(OutputPath)));

    protected string[] FilesBesideOutput() => [.. Directory.GetFileSystemEntries(folder["out"]).Select(path => Path.GetFileName(path))];
}

public class FirstCompression : CompressionTest
{
    [Fact]
    public void EncodesMatricesAndKeepsTheRest()
    {
        var report = RunWell();

        Assert.Equal(["a.weight", "b.weight", "norm.weight", "position"], report.Layers.Select(layer => layer.Name));
        Assert.Equal(["higgs", "higgs", "keep", "keep"], report.Layers.Select(layer => layer.Codec));
        Assert.Equal(["miss", "miss", "kept", "kept"], report.Layers.Select(layer => layer.Cache));
        Assert.Equal((0, 2), (report.CacheHits, report.CacheMisses));
    }

    [Fact]
    public void KeepsWhatItKeepsByteByByte()
    {
        RunWell();

        using var source = PackedModel.OpenFile(ModelPath);
        using var packed = PackedModel.OpenFile(OutputPath);
        foreach (string name in new[] { "norm.weight", "position" })
        {
            Assert.Equal(source[name].DType, packed[name].DType);
            float[] expected = new float[source[name].Count], actual = new float[source[name].Count];
            source[name].Dequantize(expected);
            packed[name].Dequantize(actual);
            Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public void ReportsWhatIsInTheFile()
    {
        var report = RunWell();

        Assert.Equal(new FileInfo(OutputPath).Length, report.PackedBytes);
        Assert.Equal((((64 * 96) + (128 * 64) + 4) * 4) + 16, report.SourceBytes);
        using var packed = PackedModel.OpenFile(OutputPath);
        Assert.All(report.Layers, layer => Assert.Equal(packed[layer.Name].BitsPerWeight, layer.BitsPerWeight));

        // Everything that belongs to the two matrices, shared tables included, over their weights.
        long stored = packed.Entries.Where(entry => entry.Name is not ("norm.weight" or "position")).Sum(entry => entry.ByteLength);
        Assert.Equal(8.0 * stored / ((64 * 96) + (128 * 64)), report.BitsPerWeight, 12);
    }

    [Fact]
    public void MeasuresTheErrorThatADecoderFinds()
    {
        var report = RunWell();

        using var source = PackedModel.OpenFile(ModelPath);
        using var packed = PackedModel.OpenFile(OutputPath);
        double error = 0, energy = 0;
        foreach (string name in new[] { "a.weight", "b.weight" })
        {
            float[] weights = new float[source[name].Count], decoded = new float[source[name].Count];
            source[name].Dequantize(weights);
            packed[name].Dequantize(decoded);
            error += weights.Zip(decoded, (w, d) => ((double)w - d) * ((double)w - d)).Sum();
            energy += weights.Sum(w => (double)w * w);
        }

        Assert.Equal(error / energy, report.RelativeMse, 1e-12);
    }

    [Fact]
    public void LeavesNothingBesideTheOutput()
    {
        RunWell(cache: false);

        Assert.Equal([Path.GetFileName(OutputPath)], FilesBesideOutput());
    }

    [Fact]
    public void NamesTheFilesItRead()
    {
        Recipe("method: higgs");

        Assert.Equal([ModelPath, RecipePath], RunWell().Files);
    }
}

public class SecondCompression : CompressionTest
{
    [Fact]
    public void TakesEveryLayerFromTheCacheAndWritesNothing()
    {
        var first = RunWell();
        File.SetLastWriteTimeUtc(OutputPath, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        var second = RunWell();

        Assert.Equal((2, 0), (second.CacheHits, second.CacheMisses));
        Assert.True(second.Unchanged);
        Assert.Equal(2020, File.GetLastWriteTimeUtc(OutputPath).Year);
        Assert.Equal(first.RelativeMse, second.RelativeMse);
        Assert.Equal(first.BitsPerWeight, second.BitsPerWeight);
    }

    [Fact]
    public void RestoresADeletedOutputFromTheCache()
    {
        RunWell();
        string hash = OutputHash();
        File.Delete(OutputPath);

        Assert.Equal(2, RunWell().CacheHits);
        Assert.Equal(hash, OutputHash());
    }

    [Fact]
    public void ReplacesACutOffOutput()
    {
        RunWell();
        byte[] good = File.ReadAllBytes(OutputPath);
        File.WriteAllBytes(OutputPath, good[..^1]);

        RunWell();

        Assert.Equal(good, File.ReadAllBytes(OutputPath));
    }

    [Fact]
    public void EncodesAgainWhenForced()
    {
        RunWell();

        Assert.Equal((0, 2), (RunWell(force: true).CacheHits, RunWell(force: true).CacheMisses));
    }

    [Fact]
    public void HealsADamagedEntry()
    {
        RunWell();
        string hash = OutputHash();
        File.Delete(OutputPath);
        string entry = Directory.GetFiles(CachePath, "*.layer", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        byte[] bytes = File.ReadAllBytes(entry);
        bytes[^40] ^= 1;
        File.WriteAllBytes(entry, bytes);

        var report = Run();

        Assert.Equal((1, 1), (report!.CacheHits, report.CacheMisses));
        Assert.Equal([Codes.CacheEntryDamaged], Diagnostics.Items.Select(item => item.Code));
        Assert.Equal(hash, OutputHash());
        File.Delete(OutputPath);
        Assert.Equal(2, RunWell().CacheHits);
    }
}

public class ChangedInput : CompressionTest
{
    [Fact]
    public void OfOneTensorEncodesThatTensorOnly()
    {
        RunWell();
        Standard(seedOfB: 3).Write(ModelPath);

        var report = RunWell();

        Assert.Equal(["hit", "miss", "kept", "kept"], report.Layers.Select(layer => layer.Cache));
    }

    [Fact]
    public void OfOneRuleEncodesThatLayerOnly()
    {
        RunWell();
        Recipe("layers:\n  - match: a.weight\n    bits: 3\n");

        var report = RunWell();

        Assert.Equal(["miss", "hit", "kept", "kept"], report.Layers.Select(layer => layer.Cache));
    }

    [Fact]
    public void OfNamesAloneEncodesNothing()
    {
        RunWell();
        new TestModel().AddGaussian("x.weight", 64, 96, 1).AddGaussian("y.weight", 128, 64, 2).Write(ModelPath);

        Assert.Equal((2, 0), (RunWell().CacheHits, RunWell().CacheMisses));
    }

    [Fact]
    public void OfAKeptVectorReplacesTheOutput()
    {
        RunWell();
        Standard().Add("extra", [2], 5f, 6f).Write(ModelPath);

        var report = RunWell();

        Assert.False(report.Unchanged);
        using var packed = PackedModel.OpenFile(OutputPath);
        Assert.Equal(2, packed["extra"].Count);
    }
}

public class PackedBytes : CompressionTest
{
    [Fact]
    public void AreTheSameForEveryNumberOfThreadsAndWithAndWithoutCache()
    {
        var hashes = new List<string>();
        foreach (var (cache, threads) in new[] { (true, 1), (true, 2), (false, 1), (false, 4) })
        {
            File.Delete(OutputPath);
            RunWell(cache, threads);
            hashes.Add(OutputHash());
        }

        Assert.Single(hashes.Distinct());
    }

    [Fact]
    public void AreTheSameInAnotherFolder()
    {
        RunWell();
        using var other = new TempFolder();
        string model = Standard().Write(other["n.safetensors"]);

        Compressor.Run(new CompressionRequest(model, null, other["n.packed"]), Diagnostics, null, CancellationToken.None);

        Assert.Equal(OutputHash(), Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(other["n.packed"]))));
    }
}

public class NonFiniteWeights : CompressionTest
{
    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "infinity")]
    [InlineData(float.NegativeInfinity, "-infinity")]
    public void AreAnErrorThatNamesTensorAndIndex(float value, string text)
    {
        float[] weights = TestModel.Gaussian(64 * 64, 1);
        weights[777] = value;
        Standard().Add("bad.weight", [64, 64], weights).Write(ModelPath);

        Assert.Null(Run());

        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal((Codes.ModelNonFinite, Severity.Error, ModelPath), (error.Code, error.Severity, error.File));
        Assert.Contains($"'bad.weight' has the value {text} at index 777", error.Message, StringComparison.Ordinal);
        Assert.Empty(FilesBesideOutput());
    }

    [Fact]
    public void AreKeptWhereTheRecipeSaysSo()
    {
        float[] weights = TestModel.Gaussian(64 * 64, 1);
        weights[777] = float.NaN;
        new TestModel().Add("bad.weight", [64, 64], weights).Write(ModelPath);
        Recipe("nonFinite: keep");

        Assert.Equal("kept", Assert.Single(RunWell().Layers).Cache);
        using var packed = PackedModel.OpenFile(OutputPath);
        float[] decoded = new float[64 * 64];
        packed["bad.weight"].Dequantize(decoded);
        Assert.Equal(weights, decoded);
    }

    [Fact]
    public void OfSeveralTensorsAreAllReported()
    {
        float[] weights = TestModel.Gaussian(64 * 64, 1);
        weights[0] = float.NaN;
        Standard().Add("bad1.weight", [64, 64], weights).Add("bad2.weight", [64, 64], weights).Write(ModelPath);

        Assert.Null(Run());
        Assert.Equal(2, Diagnostics.Items.Count);
    }
}

public class KeptAsFloat16 : CompressionTest
{
    [Fact]
    public void IsRoundedToNearestEven()
    {
        // 1 + 2^-11 lies between 1 and the next half; ties go to even.
        new TestModel().Add("norm", [4], 1f, 1f + (1f / 2048), 1f + (3f / 2048), -0.5f).Write(ModelPath);
        Recipe("layers:\n  - match: norm\n    keep: float16\n");

        var layer = Assert.Single(RunWell().Layers);

        Assert.Equal(("keep", 16.0, 8L), (layer.Codec, layer.BitsPerWeight, layer.Bytes));
        using var packed = PackedModel.OpenFile(OutputPath);
        float[] decoded = new float[4];
        packed["norm"].Dequantize(decoded);
        Assert.Equal([1f, 1f, 1f + (2f / 1024), -0.5f], decoded);
        Assert.Equal(DType.F32, packed["norm"].DType);
    }

    [Fact]
    public void IsAnErrorWhereAValueDoesNotFit()
    {
        new TestModel().Add("norm", [2], 1f, 70000f).Write(ModelPath);
        Recipe("layers:\n  - match: norm\n    keep: float16\n");

        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal(Codes.ModelValueOutOfRange, error.Code);
        Assert.Contains("70000 at index 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void IsAnErrorWhereADoubleIsBeyondFloats()
    {
        new TestModel().Add("norm", DType.F64, [2], [.. BitConverter.GetBytes(1.0), .. BitConverter.GetBytes(1e300)]).Write(ModelPath);
        Recipe("layers:\n  - match: norm\n    keep: bfloat16\n");

        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal(Codes.ModelValueOutOfRange, error.Code);
        Assert.Contains("1E+300 at index 1", error.Message, StringComparison.Ordinal);
    }
}

public class Gate : CompressionTest
{
    [Fact]
    public void ThatHoldsLetsTheBuildPass()
    {
        Recipe("gate:\n  relativeError: 0.2\n");

        RunWell();
    }

    [Fact]
    public void ThatFailsNamesItsPlaceTheFiguresAndTheWorstLayers()
    {
        RunWell();
        string before = OutputHash();
        Recipe("bits: 3\ngate:\n  relativeError: 0.05\n");

        Assert.Null(Run());

        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal((Codes.GateFailed, RecipePath, 3, 18), (error.Code, error.File, error.Line, error.Column));
        Assert.Contains("allows 0.0500", error.Message, StringComparison.Ordinal);
        Assert.Contains("b.weight", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, OutputHash());
    }
}

public class CacheThatCannotBeWritten : CompressionTest
{
    [Fact]
    public void CostsOneWarningAndNothingElse()
    {
        RunWell(cache: false);
        string hash = OutputHash();
        File.Delete(OutputPath);
        File.WriteAllText(CachePath, "a file where the folder should be");

        Assert.NotNull(Run());

        Assert.Equal([(Codes.CacheNotWritable, Severity.Warning)], Diagnostics.Items.Select(item => (item.Code, item.Severity)));
        Assert.Equal(hash, OutputHash());
        Assert.Equal([Path.GetFileName(OutputPath)], FilesBesideOutput());
    }
}

public class OutputThatCannotBeWritten : CompressionTest
{
    [Fact]
    public void IsOneError()
    {
        Directory.CreateDirectory(Path.Combine(OutputPath, "a folder where the file should be"));

        Assert.Null(Run());
        Assert.Equal([Codes.OutputNotWritable], Diagnostics.Items.Select(item => item.Code));
    }
}

public class CancelledCompression : CompressionTest
{
    [Fact]
    public void LeavesTheLastOutputAndNothingElse()
    {
        RunWell(cache: false);
        string before = OutputHash();
        Standard(seedOfB: 9).Write(ModelPath);
        using var source = new CancellationTokenSource();

        Assert.ThrowsAny<OperationCanceledException>(() =>
            Run(cache: false, threads: 1, progress: new Once(source.Cancel), token: source.Token));

        Assert.Equal(before, OutputHash());
        Assert.Equal([Path.GetFileName(OutputPath)], FilesBesideOutput());
    }

    private sealed class Once(Action action) : IProgress<CompressionProgress>
    {
        public void Report(CompressionProgress value) => action();
    }
}

public class Progress : CompressionTest
{
    [Fact]
    public void EndsWithEverythingDone()
    {
        var seen = new List<CompressionProgress>();

        Run(progress: new List(seen));

        Assert.Equal(4, seen.Count);
        Assert.Equal(new CompressionProgress(4, 4, (64 * 96) + (128 * 64) + 6, (64 * 96) + (128 * 64) + 6, 0), seen[^1]);
    }

    private sealed class List(List<CompressionProgress> seen) : IProgress<CompressionProgress>
    {
        public void Report(CompressionProgress value) => seen.Add(value);
    }
}
