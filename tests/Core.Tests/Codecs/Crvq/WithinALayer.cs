using Compress.Core.Caching;
using Compress.Core.Codecs;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Codecs.Crvq;

/// <summary>A layer may take minutes: it tells how far it is, and ends when it is told to.</summary>
public sealed class WithinALayer : IDisposable, IProgress<double>, IProgress<CompressionProgress>
{
    private const int Rows = 70, Columns = 64;

    private readonly TempFolder folder = new();
    private readonly CancellationTokenSource cancelled = new();
    private readonly List<double> parts = [];
    private readonly List<CompressionProgress> reports = [];
    private int cancelAt = int.MaxValue;

    [Theory]
    [InlineData("aqlm", false)]
    [InlineData("crvq", false)]
    [InlineData("crvq", true)]
    public void EncodersTellOfTheirWork(string method, bool entropy)
    {
        Encode(method, entropy);
        Assert.Equal(parts.Order(), parts);
        Assert.InRange(parts.Count, 4, 30);
        Assert.InRange(parts[0], 0.001, 0.1);
        Assert.Equal(1, parts[^1]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void EncodersEndAtOnce(int report)
    {
        cancelAt = report;
        Assert.ThrowsAny<OperationCanceledException>(() => Encode("crvq", entropy: false));
        Assert.Equal(report, parts.Count);
    }

    [Fact]
    public void CompressionsCountParts()
    {
        new TestModel().Add("a.weight", [Rows, Columns], RandomWeights.Gaussian(Rows * Columns)).Add("b.bias", [4], [1, 2, 3, 4]).Write(folder["m.safetensors"]);
        File.WriteAllText(folder["m.compress.yaml"], "method: crvq\n");
        var diagnostics = new DiagnosticBag();
        Assert.NotNull(Compressor.Run(new(folder["m.safetensors"], null, folder["out.safetensors"]) { Cache = new LayerCache(folder["cache"]), Threads = 1 }, diagnostics, this, CancellationToken.None));
        Assert.Contains(reports, report => report is { WithinLayer: true, WeightsDone: > 0 and < Rows * Columns });
        Assert.Equal(reports.Select(report => report.WeightsDone).Order(), reports.Select(report => report.WeightsDone));
        Assert.Equal((2, (Rows * Columns) + 4L, false), (reports[^1].LayersDone, reports[^1].WeightsDone, reports[^1].WithinLayer));
    }

    void IProgress<double>.Report(double value)
    {
        parts.Add(value);
        if (parts.Count == cancelAt)
        {
            cancelled.Cancel();
        }
    }

    void IProgress<CompressionProgress>.Report(CompressionProgress value) => reports.Add(value);

    public void Dispose()
    {
        folder.Dispose();
        cancelled.Dispose();
    }

    private EncodedTensor Encode(string method, bool entropy) => Encoders.Of(method, ("entropy", entropy)).Encode(
        WeightMatrix.FromArray(RandomWeights.Gaussian(Rows * Columns), Rows, Columns), null, this, cancelled.Token);
}
