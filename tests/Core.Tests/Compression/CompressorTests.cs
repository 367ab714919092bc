using System.Security.Cryptography;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Compression;

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
        Assert.False(report.Unchanged);
    }

    [Fact]
    public void OfOneRuleEncodesThatLayerOnly()
    {
        RunWell();
        Recipe("layers:\n  - match: a.weight\n    bits: 3\n");

        var report = RunWell();

        Assert.Equal(["miss", "hit", "kept", "kept"], report.Layers.Select(layer => layer.Cache));
        Assert.False(report.Unchanged);
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

public class Checksum : CompressionTest
{
    // By the format's definition: SHA-256 of all bytes that follow the header.
    [Fact]
    public void IsOfAllBytesAfterTheHeader()
    {
        RunWell();

        byte[] file = File.ReadAllBytes(OutputPath);
        int dataOffset = 8 + checked((int)System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(file));
        using var packed = PackedModel.OpenFile(OutputPath);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(file.AsSpan(dataOffset))), packed.Metadata["compress.checksum"]);
    }
}
