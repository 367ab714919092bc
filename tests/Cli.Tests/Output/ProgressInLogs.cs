using Compress.Cli.Console;
using Compress.Cli.Tests.Infra;
using Compress.Core.Compression;

namespace Compress.Cli.Tests.Output;

public sealed class ProgressInLogs : IDisposable
{
    private readonly ManualClock clock = new();
    private readonly StringWriter log = new() { NewLine = "\n" };

    [Fact]
    public void QuickWorkIsSilent()
    {
        var progress = Progress();
        for (int layer = 1; layer <= 100; layer++)
        {
            clock.Advance(0.049);
            progress.Report(new(layer, 100, layer, 100, 0));
        }

        Assert.Empty(log.ToString());
    }

    [Fact]
    public void LongWorkSaysOneLineEachInterval()
    {
        var progress = Progress();
        for (int layer = 1; layer <= 12; layer++)
        {
            clock.Advance(1);
            progress.Report(new(layer, 12, layer, 12, layer / 2));
        }

        Assert.Equal("stories: 5/12 layers, 2 cached\nstories: 10/12 layers, 5 cached\n", log.ToString());
    }

    [Fact]
    public void PartsOfALongLayerAreShown()
    {
        var progress = Progress();
        clock.Advance(5);
        progress.Report(new(5, 12, 410, 1000, 2) { WithinLayer = true });

        Assert.Equal("stories: 5/12 layers, 2 cached; 41 % of the weights\n", log.ToString());
    }

    [Theory]
    [InlineData(0, "stories: step 40 of 200, held-out KL 0.0512\n")]
    [InlineData(2, "stories: block 2 of 6, step 40 of 200, held-out error 0.0512\n")]
    public void TrainingIsShown(int block, string expected)
    {
        var progress = Progress();
        clock.Advance(5);
        progress.Report(new(12, 12, 1, 1, 12, Recovery: new(40, 200, 0.0512, block, 6)));

        Assert.Equal(expected, log.ToString());
    }

    [Fact]
    public void WaitingForAnotherBuildIsShown()
    {
        var progress = Progress();
        clock.Advance(5);
        progress.Report(new(37, 212, 37, 212, 31, Waiting: true));

        Assert.Equal("stories: 37/212 layers, 31 cached; another build is encoding the rest\n", log.ToString());
    }

    [Fact]
    public void CalibratingIsShown()
    {
        var progress = Progress();
        clock.Advance(5);
        progress.Report(new(0, 212, 0, 212, 0, Calibration: new(3, 8)));

        Assert.Equal("stories: calibrating, 37 %\n", log.ToString());
    }

    public void Dispose() => log.Dispose();

    private ProgressLines Progress() => new(log, "stories", TimeSpan.FromSeconds(5), clock);
}
