using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Models.Formats;

/// <summary>What is packed follows from the weights, not from the file that they came in.</summary>
public sealed class SameModelInEveryContainer : FormatTest
{
    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("pytorch_model.legacy.bin")]
    public void GivesTheSameTensors(string name)
    {
        using var expected = ModelFile.Open(Assets.Stories);
        using var actual = ModelFile.Open(Beside(name));
        SameTensors(expected, actual);
    }

    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("pytorch_model.legacy.bin")]
    public void GivesTheSamePackedBytes(string name) => Assert.Equal(Packed(Assets.Stories), Packed(Beside(name)));

    private static string Beside(string name) => Path.Combine(Path.GetDirectoryName(Assets.Stories)!, name);

    private byte[] Packed(string model)
    {
        string recipe = Write("r.yaml", "method: higgs\nbits: 4\nlayers:\n  - { match: '*norm*', keep: bfloat16 }\n  - { match: '*mlp*', method: uniform, bits: 3 }\n"u8.ToArray());
        string packed = Write("packed", []);
        var diagnostics = new DiagnosticBag();
        Compressor.Run(new CompressionRequest(model, recipe, packed), diagnostics, null, CancellationToken.None);
        Assert.DoesNotContain(diagnostics.Items, item => item.Severity == Severity.Error);
        return File.ReadAllBytes(packed);
    }
}
