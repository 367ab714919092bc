namespace ConsumerApp;

/// <summary>Chooses the next token from the logits.</summary>
/// <param name="temperature">0 takes the likeliest token (greedy); 1 draws from the model's own distribution; between, the likely become likelier.</param>
/// <param name="seed">The same seed gives the same story.</param>
internal sealed class Sampler(double temperature, int seed)
{
    private readonly Random random = new(seed);

    public int Next(ReadOnlySpan<float> logits)
    {
        int likeliest = 0;
        for (int i = 1; i < logits.Length; i++)
        {
            likeliest = logits[i] > logits[likeliest] ? i : likeliest;
        }

        if (temperature == 0)
        {
            return likeliest;
        }

        double[] weights = new double[logits.Length]; // e^((logit − max) / temperature): the softmax but for its sum
        double sum = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            sum += weights[i] = Math.Exp((logits[i] - logits[likeliest]) / temperature);
        }

        double rest = random.NextDouble() * sum;
        for (int i = 0; i < logits.Length; i++)
        {
            rest -= weights[i];
            if (rest < 0)
            {
                return i;
            }
        }

        return likeliest;
    }
}
