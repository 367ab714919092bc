using Compress.Core.Numerics;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Numerics;

public class FixedOrderTests
{
    // The order as its documentation states it, one operation after another.
    [Fact]
    public void SumIsTheDocumentedOneToTheLastBit()
    {
        for (int length = 0; length < 300; length++)
        {
            float[] a = RandomWeights.Gaussian(length, 1), b = RandomWeights.Gaussian(length, 2);
            float[] lanes = new float[32];
            for (int i = 0; i < length; i++)
            {
                float product = a[i] * b[i];
                lanes[i % 32] += product;
            }

            for (int half = 16; half > 0; half /= 2)
            {
                for (int l = 0; l < half; l++)
                {
                    lanes[l] += lanes[l + half];
                }
            }

            Assert.Equal(lanes[0], FixedOrder.Dot(a, b));
            float[] products = [.. a.Zip(b, (x, y) => x * y)];
            Assert.Equal(lanes[0], FixedOrder.Sum(products));
        }
    }

    [Fact]
    public void SumOfDoublesIsTheDocumentedOneToTheLastBit()
    {
        for (int length = 0; length < 100; length++)
        {
            double[] a = Doubles(length, 1), b = Doubles(length, 2), lanes = new double[16];
            for (int i = 0; i < length; i++)
            {
                double product = a[i] * b[i];
                lanes[i % 16] += product;
            }

            for (int half = 8; half > 0; half /= 2)
            {
                for (int l = 0; l < half; l++)
                {
                    lanes[l] += lanes[l + half];
                }
            }

            Assert.Equal(lanes[0], FixedOrder.Dot(a, b));
        }
    }

    [Fact]
    public void ProductsAreRoundedBeforeTheyAreAdded()
    {
        for (int length = 0; length < 20; length++)
        {
            double[] x = Doubles(length, 1), y = Doubles(length, 2);
            double[] expected = [.. y.Zip(x, (to, from) =>
            {
                double product = 0.1 * from;
                return to + product;
            })];
            FixedOrder.AddProduct(0.1, x, y);
            Assert.Equal(expected, y);
        }
    }

    private static double[] Doubles(int length, ulong seed) => [.. RandomWeights.Gaussian(length, seed).Select(value => value / 3.0)];
}
