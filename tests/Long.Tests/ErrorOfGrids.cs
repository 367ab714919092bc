using Compress.Core.Tests.Infra;

namespace Compress.LongTests;

public class ErrorOfGrids
{
    // Twice the standard error is a tenth of a percent, so that the half percent is not used up by chance.
    [Theory, MemberData(nameof(GridErrors.Published), MemberType = typeof(GridErrors))]
    public void IsAtMostHalfAPercentAboveThePublished(int p, int n, double published)
    {
        var (error, standardError) = GridErrors.Measure(p, n, 1 << 22);
        Assert.InRange(standardError / error, 0, 0.001);
        Assert.InRange(error + (2 * standardError), 0.97 * published, 1.005 * published);
    }
}
