using TorchSharp;
using static TorchSharp.torch;

namespace TorchSharpApp;

/// <summary>784 pixels, 128 hidden units, 10 digits.</summary>
internal sealed class Network : nn.Module<Tensor, Tensor>
{
    // Declared so that packed layers can take their places.
    private readonly nn.Module<Tensor, Tensor> hidden = nn.Linear(28 * 28, 128);
    private readonly nn.Module<Tensor, Tensor> digits = nn.Linear(128, 10);

    public Network()
        : base(nameof(Network)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var linear = hidden.call(input);
        using var units = linear.relu();
        return digits.call(units);
    }

    /// <summary>The part of images whose digit it finds.</summary>
    public double Accuracy(Tensor images, Tensor labels)
    {
        using var off = no_grad();
        using var scores = call(images);
        using var found = scores.argmax(1);
        using var right = found.eq(labels);
        using var count = right.sum();
        return count.to_type(ScalarType.Int64).item<long>() / (double)labels.shape[0];
    }
}
