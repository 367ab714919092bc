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
        }
    }
}
