using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Compression;

/// <summary>What encoders have to say reaches the user, at the rule, each time.</summary>
public sealed class WarningsOfEncoders : CompressionTest
{
    [Fact]
    public void AreSaidAgainWhenTheLayerIsCached()
    {
        Recipe("layers:\n- match: [a.weight, b.weight]\n  method: aqlm\n  bits: 0.9\n");
        foreach (int misses in new[] { 2, 0 })
        {
            var report = Run();
            Assert.Equal(misses, report!.CacheMisses);
            var warning = Assert.Single(Diagnostics.Items);
            Assert.Equal((Codes.BitsNotReached, Severity.Warning, 2, 3), (warning.Code, warning.Severity, warning.Line, warning.Column));
            Assert.StartsWith("'a.weight' (and 1 other layers): 0.9 bits per weight are asked for", warning.Message, StringComparison.Ordinal);
        }
    }

    // 1 on the diagonal, 3 beside it: that is no matrix of second moments.
    [Fact]
    public void TellOfStatisticsThatAreNone()
    {
        new TestModel().AddGaussian("a.weight", 40, 30, 1).Write(ModelPath);
        double[] moments = [.. Enumerable.Range(0, 900).Select(i => i % 31 == 0 ? 1.0 : 3)];
        using (var stream = File.Create(Path.Combine(Path.GetDirectoryName(ModelPath)!, "s.safetensors")))
        {
            SafetensorsWriter.Write(
                stream,
                new Dictionary<string, string> { ["compress.statistics"] = """{"version":1,"tokens":9,"layers":{"a.weight":{}},"tables":[]}""" },
                [new("a.weight.inputSecondMoments", DType.F64, [30, 30], 8 * 900, to => to.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<double>(moments)))]);
        }

        Recipe("calibration: {statistics: s.safetensors}\nmethod: crvq\nobjective: outputs\n");
        Assert.NotNull(Run());
        var warning = Assert.Single(Diagnostics.Items);
        Assert.Equal((Codes.StatisticsUnusable, Severity.Warning), (warning.Code, warning.Severity));
        Assert.Contains("'a.weight': the second moments of its inputs", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DoNotTellOfBitsThatABudgetChose()
    {
        new TestModel().AddGaussian("a.weight", 256, 512, 1).AddGaussian("b.weight", 128, 256, 2).Write(ModelPath);
        Recipe("budget: {bits: 0.9}\nchoose:\n- method: crvq\n  maxBits: 1\n- method: higgs\n  maxBits: 1\n- method: uniform\n  maxBits: 2\n");
        var report = RunWell();
        Assert.InRange(report.BitsPerWeight, 0.8, 0.9);
        Assert.Contains(report.Layers, layer => layer.Codec == "crvq");
    }

    [Theory]
    [InlineData("critical: 4", "crvq")]
    [InlineData("codebooks: 2", "aqlm")]
    [InlineData("codebookBits: 6", "crvq")]
    public void AreErrorsWhereBitsAreToldTwice(string setting, string method)
    {
        Recipe($"method: {method}\nbits: 1.06\n{setting}\n");
        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal((Codes.RecipeConflict, 3, 1), (error.Code, error.Line, error.Column));
        Assert.Contains("'bits' decides it; remove one of them", error.Message, StringComparison.Ordinal);
    }
}
