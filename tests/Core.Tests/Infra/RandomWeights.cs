namespace Compress.Core.Tests.Infra;

/// <summary>Weights drawn from a counter: the same for the same seed.</summary>
internal sealed class RandomWeights(ulong seed)
{
    private ulong counter = seed << 40;

    public static float[] Gaussian(int count, ulong seed = 1) => new RandomWeights(seed).Draw(count, random => random.Normal());

    /// <summary>Kurtosis 6.</summary>
    public static float[] Laplace(int count, ulong seed = 2) =>
        new RandomWeights(seed).Draw(count, random => Math.Log(random.Uniform()) * (random.Uniform() < 0.5 ? -1 : 1));

    /// <summary>Student's t with five degrees of freedom: kurtosis 9.</summary>
    public static float[] StudentT5(int count, ulong seed = 3) => new RandomWeights(seed).Draw(count, random =>
    {
        double chiSquare = 0;
        for (int i = 0; i < 5; i++)
        {
            double z = random.Normal();
            chiSquare += z * z;
        }

        return random.Normal() / Math.Sqrt(chiSquare / 5);
    });

    /// <summary>Normal with a standard deviation that is lognormal itself (σ = 1): kurtosis 3 e⁴ = 164.</summary>
    public static float[] LognormalMixture(int count, ulong seed = 4) =>
        new RandomWeights(seed).Draw(count, random => random.Normal() * Math.Exp(random.Normal()));

    /// <summary>In (0, 1).</summary>
    public double Uniform()
    {
        ulong z = ++counter * 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return (((z ^ (z >> 31)) >> 11) + 0.5) * (1.0 / (1UL << 53));
    }

    /// <summary>N(0, 1) (Box and Muller 1958).</summary>
    public double Normal() => Math.Sqrt(-2 * Math.Log(Uniform())) * Math.Cos(2 * Math.PI * Uniform());

    private float[] Draw(int count, Func<RandomWeights, double> next)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (float)next(this);
        }

        return values;
    }
}
