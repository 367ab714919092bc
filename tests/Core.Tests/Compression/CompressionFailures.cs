using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Compression;

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

        Assert.Null(Run(threads: 1));
        Assert.Equal(2, Diagnostics.Items.Count);
    }
}

public class WeightsAtTheEndOfTheFloatRange : CompressionTest
{
    [Theory]
    [InlineData("higgs")]
    [InlineData("uniform")]
    public void AreAnErrorOrDecodeToFiniteNumbers(string method)
    {
        float[] weights = TestModel.Gaussian(64 * 64, 1);
        weights[7] = 3.4e38f;
        weights[8] = -3.4e38f;
        new TestModel().Add("huge.weight", [64, 64], weights).Write(ModelPath);
        Recipe($"method: {method}");

        if (Run() is not null)
        {
            using var packed = PackedModel.OpenFile(OutputPath);
            float[] decoded = new float[64 * 64];
            packed["huge.weight"].Dequantize(decoded);
            Assert.All(decoded, value => Assert.True(float.IsFinite(value)));
            return;
        }

        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal((Codes.ModelValueOutOfRange, ModelPath), (error.Code, error.File));
        Assert.Contains("'huge.weight'", error.Message, StringComparison.Ordinal);
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

    [Fact]
    public void EndsTheWritingOfThePackedFileToo()
    {
        RunWell();
        string before = OutputHash();
        using var source = new CancellationTokenSource();
        var array = new StoredArray("a", DType.U8, [8], 8, stream =>
        {
            source.Cancel();
            stream.Write([1, 2, 3, 4]);
            stream.Write([5, 6, 7, 8]);
        });
        var key = LayerKey.Of("keep", 1, "U8", DType.U8, [8], new byte[32]);
        var tensor = new TensorResult(new PackedEntry("a", null, [array]), key, default, CacheUse.Kept, 0);

        Assert.Throws<OperationCanceledException>(() => PackedOutput.Write(OutputPath, [tensor], null, source.Token));

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

public class NameOfAPackedArray : CompressionTest
{
    [Fact]
    public void IsNoNameForATensor()
    {
        Standard().Add("enc::w", [1], 1f).Write(ModelPath);

        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal((Codes.ModelNameTaken, ModelPath), (error.Code, error.File));
        Assert.Contains("'enc::w'", error.Message, StringComparison.Ordinal);
    }
}

public class MessageWithControlCharacters
{
    [Fact]
    public void IsOneLineWithoutEscapeSequences() =>
        Assert.Equal(
            "compress: error CMPR2005: tensor 'a  [31mb  c' is odd",
            new Diagnostic(Codes.ModelNonFinite, Severity.Error, "tensor 'a\n\u001b[31mb\r\u2028c' is odd").ToString());
}
