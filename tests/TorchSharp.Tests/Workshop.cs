using System.Runtime.InteropServices;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Runtime;
using static TorchSharp.torch;

namespace Compress.TorchSharp.Tests;

/// <summary>Saves modules, compresses what was saved, and compares tensors.</summary>
public abstract class Workshop : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("compress torch ").FullName;
    private readonly List<PackedModel> models = [];

    public void Dispose()
    {
        models.ForEach(model => model.Dispose());
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected string PathOf(string name) => Path.Combine(folder, name);

    /// <summary>What TorchSharp saves of a module, compressed.</summary>
    private protected PackedModel Packed(nn.Module module, string recipe)
    {
        string name = $"m{models.Count}";
        module.save(PathOf(name + ".dat"));
        File.WriteAllText(PathOf("recipe.yaml"), recipe);
        var diagnostics = new DiagnosticBag();
        Compressor.Run(new CompressionRequest(PathOf(name + ".dat"), PathOf("recipe.yaml"), PathOf(name + ".packed")), diagnostics, null, CancellationToken.None);
        Assert.DoesNotContain(diagnostics.Items, item => item.Severity == Severity.Error);
        models.Add(PackedModel.OpenFile(PathOf(name + ".packed")));
        return models[^1];
    }

    private protected const string Kept = "layers: [{ match: '*', keep: source }]";

    private protected static Dictionary<string, byte[]> Bytes(nn.Module module) =>
        module.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.bytes.ToArray());

    private protected static float[] Floats(Tensor tensor)
    {
        using var floats = tensor.to_type(ScalarType.Float32);
        using var line = floats.contiguous();
        float[] values = MemoryMarshal.Cast<byte, float>(line.bytes).ToArray();
        GC.KeepAlive(line);
        return values;
    }

    private protected static void Near(float[] expected, float[] actual, float tolerance = 1e-4f)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second, pair.First - tolerance, pair.First + tolerance));
    }
}
