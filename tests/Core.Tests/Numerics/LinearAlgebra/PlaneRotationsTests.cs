using Compress.Core.Numerics.LinearAlgebra;

namespace Compress.Core.Tests.Numerics.LinearAlgebra;

public class PlaneRotationsTests
{
    // 40000 are more than are kept; 19 columns are two parts.
    [Theory]
    [InlineData(2, 5)]
    [InlineData(19, 100)]
    [InlineData(19, 40000)]
    public void ProductIsThatOfAllRotations(int n, int count)
    {
        var rotations = new PlaneRotations(n);
        double[] expected = Matrices.Identity(n);
        for (int k = 0; k < count; k++)
        {
            int row = k * 7 % (n - 1);
            double cos = Math.Cos(k), sin = Math.Sin(k);
            rotations.Add(row, cos, sin);
            for (int j = 0; j < n; j++)
            {
                double x = expected[(row * n) + j], y = expected[((row + 1) * n) + j];
                (expected[(row * n) + j], expected[((row + 1) * n) + j]) = ((cos * x) - (sin * y), (sin * x) + (cos * y));
            }
        }

        Assert.Equal(expected, rotations.ToMatrix());
    }
}
