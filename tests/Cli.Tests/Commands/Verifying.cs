using System.Text.Json.Nodes;
using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;
using Compress.Runtime;

namespace Compress.Cli.Tests.Commands;

public sealed class Verifying : IDisposable
{
    private readonly Workspace workspace = new();

    [Fact]
    public void ASoundModelPasses()
    {
        string packed = workspace.Packed(workspace.Model(TestModel.Ordinary()));
        var outcome = workspace.Run("verify", packed);
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.Equal($"{packed}: 4 tensors sound\n", outcome.Output);
    }

    [Fact]
    public void AgainstItsSourceShowsTheErrors()
    {
        string model = workspace.Model(TestModel.Ordinary());
        var outcome = workspace.Run("verify", workspace.Packed(model), "--against", model);
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        string[] lines = outcome.Output.TrimEnd().Split('\n');
        Assert.Matches(@"^layers\.0\.down\.weight +higgs +\d\.\d\d +0\.0\d+$", lines[1]);
        Assert.Matches(@"^layers\.0\.norm\.weight +keep +32\.00 +0$", lines[2]);
        Assert.EndsWith(": 4 tensors sound", lines[5], StringComparison.Ordinal);
    }

    [Fact]
    public void AgainstAnotherModelNamesWhatDiffers()
    {
        string packed = workspace.Packed(workspace.Model(TestModel.Ordinary()));
        string other = workspace.Model(new TestModel().AddGaussian("layers.0.up.weight", 80, 48, 1).AddGaussian("extra", 4, 4, 1), "other.safetensors");
        var outcome = workspace.Run("verify", packed, "--against", other);
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.Equal(
            [
                $"{packed}(1,1): error CMPR2201: tensor 'extra' of the source is not in the packed model",
                $"{packed}(1,1): error CMPR2201: tensor 'layers.0.down.weight' is not in the source",
                $"{packed}(1,1): error CMPR2201: tensor 'layers.0.norm.weight' is not in the source",
                $"{packed}(1,1): error CMPR2201: tensor 'layers.0.up.weight' is F32 [48, 80], the source has F32 [80, 48]",
                $"{packed}(1,1): error CMPR2201: tensor 'positions' is not in the source",
            ],
            outcome.Diagnostics);
    }

    [Fact]
    public void KeptNansEqualThemselves()
    {
        string model = workspace.Model(TestModel.Ordinary().Add("odd", [2, 2], float.NaN, float.PositiveInfinity, 1, 2));
        string recipe = workspace.Text("r.yaml", "version: 1\nnonFinite: keep\n");
        string packed = workspace.Packed(model, "--recipe", recipe);
        Assert.Equal(ExitCodes.Ok, workspace.Run("verify", packed).ExitCode);
        Assert.Equal(ExitCodes.Ok, workspace.Run("verify", packed, "--against", model).ExitCode);
    }

    [Theory]
    [InlineData("layers.0.up.weight::scales", 0, 0x7C00)] // infinity
    [InlineData("layers.0.down.weight::scales", 79, 0xFE01)] // NaN
    public void ScaleThatIsNoNumberIsDamage(string array, int index, int half)
    {
        string packed = workspace.Packed(workspace.Model(TestModel.Ordinary()));
        byte[] bytes = File.ReadAllBytes(packed);
        using (var model = PackedModel.OpenFile(packed))
        {
            long offset = model.Entries.Single(entry => entry.Name == array).Offset;
            BitConverter.TryWriteBytes(bytes.AsSpan((int)offset + (2 * index)), (ushort)half);
        }

        File.WriteAllBytes(packed, bytes);
        var outcome = workspace.Run("verify", packed);
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.EndsWith($"its array '{array}' holds NaN or infinity at index {index}", outcome.Single(Codes.PackedMalformed), StringComparison.Ordinal);
        Assert.EndsWith(": 1 damaged, 3 tensors sound\n", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void AFlippedBitOfACodeIsDamage()
    {
        string packed = workspace.Packed(workspace.Model(TestModel.Ordinary()));
        byte[] bytes = File.ReadAllBytes(packed);
        using (var model = PackedModel.OpenFile(packed))
        {
            bytes[model.Entries.Single(entry => entry.Name == "layers.0.up.weight::codes").Offset + 7] ^= 4;
        }

        File.WriteAllBytes(packed, bytes);
        var outcome = workspace.Run("verify", packed);
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.Contains("checksum", outcome.Single(Codes.PackedMalformed), StringComparison.Ordinal);
    }

    [Fact]
    public void ValueThatIsNoNumberIsDamage()
    {
        string packed = workspace.Packed(workspace.Model(TestModel.Ordinary()));
        EditDescription(packed, "\"scaleExponent\":-", "\"scaleExponent\":113,\"was\":-"); // the scales leave the range of floats
        var outcome = workspace.Run("verify", packed);
        Assert.Matches("tensor 'layers.0.down.weight' decodes to (NaN|-?Infinity) at index [0-9]+", outcome.Single(Codes.PackedMalformed));
    }

    [Theory]
    [InlineData("truncated by one byte")]
    [InlineData("truncated in the header")]
    [InlineData("empty")]
    public void ATruncatedFileIsDamage(string how)
    {
        string packed = workspace.Packed(workspace.Model(TestModel.Ordinary()));
        byte[] bytes = File.ReadAllBytes(packed);
        File.WriteAllBytes(packed, how switch { "empty" => [], "truncated in the header" => bytes[..100], _ => bytes[..^1] });
        Assert.StartsWith($"{packed}(1,1): ", workspace.Run("verify", packed).Single(Codes.PackedMalformed), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'codec':'higgs'", "'codec':'hicgs'")]
    [InlineData("'shape':[48,80]", "'shape':[48,90]")]
    [InlineData("'shape':[48,80]", "'shape':[-8,80]")]
    [InlineData("'dtype':'F32'", "'dtype':'F33'")]
    [InlineData("'version':1", "'version':2")]
    public void ADescriptionThatDoesNotFitIsDamage(string text, string replacement)
    {
        string packed = workspace.Packed(workspace.Model(TestModel.Ordinary()));
        EditDescription(packed, text.Replace('\'', '"'), replacement.Replace('\'', '"'));
        var outcome = workspace.Run("verify", packed);
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        outcome.Single(Codes.PackedMalformed);
    }

    [Fact]
    public void AnArrayThatIsMissingIsDamage()
    {
        string packed = workspace.Packed(workspace.Model(TestModel.Ordinary()));
        byte[] bytes = File.ReadAllBytes(packed);
        int name = bytes.AsSpan().IndexOf("layers.0.up.weight::codes"u8);
        bytes[name] = (byte)'p';
        File.WriteAllBytes(packed, bytes);
        Assert.Contains("'layers.0.up.weight::codes' is not in the file", workspace.Run("verify", packed).Single(Codes.PackedMalformed), StringComparison.Ordinal);
    }

    [Fact]
    public void AShapeBeyondAllNumbersIsDamage()
    {
        string description = """{\"version\":1,\"tensors\":{\"w\":{\"codec\":\"higgs\",\"dtype\":\"F32\",\"shape\":[9000000000000000000,9000000000000000000]}}}""";
        TestModel.WriteRaw(workspace["p.safetensors"], "{\"__metadata__\":{\"compress\":\"" + description + "\"}}", []);
        workspace.Run("verify", "p.safetensors").Single(Codes.PackedMalformed);
        workspace.Run("inspect", "p.safetensors").Single(Codes.PackedMalformed);
    }

    [Fact]
    public void ASourceModelIsNoPackedOne()
    {
        var outcome = workspace.Run("verify", workspace.Model(TestModel.Ordinary()));
        Assert.Contains("is no packed model", outcome.Single(Codes.PackedMalformed), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsNotThereIsAnError()
    {
        Assert.EndsWith("there is no such file", workspace.Run("verify", "none").Single(Codes.ModelNotReadable), StringComparison.Ordinal);
        Assert.EndsWith("this is a folder; a file is expected", workspace.Run("verify", ".").Single(Codes.ModelNotReadable), StringComparison.Ordinal);
    }

    public void Dispose() => workspace.Dispose();

    // Replaces the first occurrence of a text in what the file says of its tensors.
    private static void EditDescription(string path, string text, string replacement)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int headerEnd = sizeof(long) + (int)BitConverter.ToInt64(bytes);
        var header = JsonNode.Parse(bytes.AsSpan(sizeof(long)..headerEnd))!;
        string description = (string)header["__metadata__"]!["compress"]!;
        int at = description.IndexOf(text, StringComparison.Ordinal);
        Assert.True(at >= 0, $"{text} is not in {description}");
        header["__metadata__"]!["compress"] = description[..at] + replacement + description[(at + text.Length)..];
        TestModel.WriteRaw(path, header.ToJsonString(), bytes[headerEnd..]);
    }
}
