using Compress.Core.LanguageModels.Gradients;

namespace Compress.Core.Tests.LanguageModels.Gradients;

/// <summary>Keeps the gradients of all tensors, by name, in the form in which the tensors are stored.</summary>
internal sealed class GradientCollector : IGradientObserver
{
    private readonly Dictionary<string, float[]> gradients = [];

    public IReadOnlyDictionary<string, float[]> Gradients => gradients;

    /// <summary>Lengths of tensors of which only rows are told.</summary>
    public required Func<string, long> Length { get; init; }

    /// <summary>Receives the number of tokens of each linear layer, if it is there.</summary>
    public List<int>? Observed { get; init; }

    public void OnLinear(in LinearGradient gradient)
    {
        Observed?.Add(gradient.Tokens);
        float[] product = new float[gradient.Rows * gradient.Columns];
        gradient.Compute(product);
        OnVector(gradient.Name, product);
    }

    public void OnVector(string name, ReadOnlySpan<float> gradient)
    {
        var sum = Of(name);
        Assert.Equal(sum.Length, gradient.Length);
        for (int i = 0; i < sum.Length; i++)
        {
            sum[i] += gradient[i];
        }
    }

    public void OnRows(string name, ReadOnlySpan<int> rows, ReadOnlySpan<float> gradients)
    {
        var sum = Of(name);
        int width = gradients.Length / rows.Length;
        for (int i = 0; i < gradients.Length; i++)
        {
            sum[(rows[i / width] * width) + (i % width)] += gradients[i];
        }
    }

    private float[] Of(string name)
    {
        if (!gradients.TryGetValue(name, out float[]? sum))
        {
            gradients.Add(name, sum = new float[Length(name)]);
        }

        return sum;
    }
}
