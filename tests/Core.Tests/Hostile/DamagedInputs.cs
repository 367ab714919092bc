using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Recipes;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;
using Xunit.Abstractions;

namespace Compress.Core.Tests.Hostile;

/// <summary>Files that others made, and that something or somebody damaged: each gives a diagnostic or works.</summary>
[Collection(nameof(Fuzz))]
public sealed class DamagedInputs(ITestOutputHelper output) : IDisposable
{
    private readonly TempFolder folder = new();

    private string Model => folder["model.safetensors"];

    // The whole way of a model: header, layers, packed file, report.
    [Fact]
    public void HeaderOfAModel()
    {
        byte[] file = OrdinaryModel();
        int headerEnd = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        byte[] data = file[headerEnd..];
        Fuzz.Mutations(output, 1_000_000, file[8..headerEnd], header =>
        {
            File.WriteAllBytes(Model, [.. BitConverter.GetBytes(header.LongLength), .. header, .. data]);
            return Compressed(null);
        });
    }

    // Its first eight bytes, and its length, included.
    [Fact]
    public void WholeModel() => Fuzz.Mutations(output, 2_000_000, OrdinaryModel(), bytes =>
    {
        File.WriteAllBytes(Model, bytes);
        return Compressed(null);
    });

    [Fact]
    public void IndexOfShards()
    {
        Directory.CreateDirectory(folder["inside"]);
        new TestModel().AddGaussian("a.weight", 4, 4, 1).Write(folder["inside", "a.safetensors"]);
        new TestModel().AddGaussian("b.weight", 4, 4, 2).Write(folder["inside", "b.safetensors"]);
        // What a path that leads outside would find.
        new TestModel().AddGaussian("a.weight", 4, 4, 1).Write(folder["a.safetensors"]);
        new TestModel().AddGaussian("b.weight", 4, 4, 2).Write(folder["b.safetensors"]);
        string index = folder["inside", "model.safetensors.index.json"];
        const string Good = """{"metadata":{"total_size":128},"weight_map":{"a.weight":"a.safetensors","b.weight":"b.safetensors"}}""";
        Fuzz.Mutations(output, 3_000_000, Encoding.UTF8.GetBytes(Good), bytes =>
        {
            File.WriteAllBytes(index, bytes);
            return Fuzz.Caught(() =>
            {
                using var model = ModelFile.Open(index);
                Assert.All(model.Header.Files, file => Assert.StartsWith(folder["inside"] + Path.DirectorySeparatorChar, Path.GetFullPath(file), StringComparison.Ordinal));
            });
        });
    }

    [Fact]
    public void Recipe()
    {
        File.WriteAllBytes(Model, OrdinaryModel());
        var header = ModelFile.ReadHeader(Model);
        const string Good = """
            version: 1
            method: higgs
            bits: 4
            seed: 7
            nonFinite: keep
            gate:
              relativeError: 0.5
            layers:
              - match: "*.norm"   # a comment
                keep: float16
              - match: ["a.*", 'b.?eight']
                method: uniform
                bits: 3
                granularity: channel

            """;
        Fuzz.Mutations(output, 4_000_000, Encoding.UTF8.GetBytes(Good), bytes =>
        {
            var diagnostics = new DiagnosticBag();
            var recipe = RecipeReader.Parse(bytes, "/models/compress.yaml", diagnostics);
            Assert.Equal(recipe is null, diagnostics.HasErrors);
            Assert.All(diagnostics.Items, item => Assert.True(item.Line >= 1 && item.Column >= 1, item.ToString()));
            if (recipe is not null)
            {
                Plan.Make(recipe, header, new DiagnosticBag());
            }

            return diagnostics.Items.FirstOrDefault(item => item.Severity == Severity.Error);
        });
    }

    [Fact]
    public void CacheEntry()
    {
        var entry = Entry();
        Fuzz.Mutations(output, 5_000_000, File.ReadAllBytes(entry), bytes =>
        {
            File.WriteAllBytes(entry, bytes);
            return Found(new LayerCache(folder["cache"]));
        });
    }

    // As a broken or wicked program would write it: only the checksum is right. No checksum tells whose work an entry is, but nothing may break.
    [Fact]
    public void CacheEntryWithAGoodChecksum()
    {
        var entry = Entry();
        string packed = folder["model.packed.safetensors"];
        byte[] right = File.ReadAllBytes(packed);
        byte[] file = File.ReadAllBytes(entry);
        int headerEnd = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        byte[] data = file[headerEnd..^SHA256.HashSizeInBytes];
        int wrong = 0;
        Fuzz.Mutations(output, 6_000_000, file[8..headerEnd], header =>
        {
            byte[] body = [.. BitConverter.GetBytes(header.LongLength), .. header, .. data];
            File.WriteAllBytes(entry, [.. body, .. SHA256.HashData(body)]);
            File.Delete(packed);
            var cache = new LayerCache(folder["cache"]);
            Assert.Null(Compressed(cache));
            wrong += File.ReadAllBytes(packed).AsSpan().SequenceEqual(right) ? 0 : 1;
            File.WriteAllBytes(entry, [.. body, .. SHA256.HashData(body)]);
            return Found(cache);
        });
        output.WriteLine($"{wrong} entries passed for what they are not");
    }

    public void Dispose() => folder.Dispose();

    private byte[] OrdinaryModel()
    {
        new TestModel()
            .AddGaussian("a.weight", 8, 16, 1)
            .AddGaussian("b.weight", 4, 16, 2)
            .Add("c.norm", [4], 1f, 2f, 3f, 4f)
            .Add("position", DType.I64, [2], new byte[16])
            .Write(Model);
        File.WriteAllText(folder["compress.yaml"], "method: higgs\nlayers:\n  - match: '*.weight'\n    bits: 4\n  - match: '*.norm'\n    keep: bfloat16\n");
        return File.ReadAllBytes(Model);
    }

    private string Entry()
    {
        OrdinaryModel();
        Assert.Null(Compressed(new LayerCache(folder["cache"])));
        return Directory.GetFiles(folder["cache"], "*.layer", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
    }

    private Diagnostic? Compressed(LayerCache? cache)
    {
        var diagnostics = new DiagnosticBag();
        var report = Compressor.Run(
            new CompressionRequest(Model, null, folder["model.packed.safetensors"]) { Cache = cache, Threads = 1 }, diagnostics, null, CancellationToken.None);
        Assert.Equal(report is null, diagnostics.HasErrors);
        return diagnostics.Items.FirstOrDefault(item => item.Severity == Severity.Error);
    }

    // What is said of an entry.
    private Diagnostic? Found(LayerCache cache)
    {
        var diagnostics = new DiagnosticBag();
        cache.TryRead(Path.GetFileNameWithoutExtension(Directory.GetFiles(folder["cache"], "*.layer", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First()), diagnostics);
        return diagnostics.Items is [var first, ..] ? first : null;
    }
}
