using TorchSharp;
using static TorchSharp.torch;

namespace Compress.TorchSharp.Tests;

/// <summary>Linear layers in a field and in a Sequential, a normalization with its integer buffer.</summary>
internal sealed class Network : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> first = nn.Linear(12, 8);
    private readonly nn.Module<Tensor, Tensor> norm = nn.BatchNorm1d(8);
    private readonly nn.Module<Tensor, Tensor> rest = nn.Sequential(("a", nn.Linear(8, 16, hasBias: false)), ("relu", nn.ReLU()), ("b", nn.Linear(16, 3)));

    public Network()
        : base(nameof(Network)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var hidden = first.call(input);
        using var normal = norm.call(hidden);
        return rest.call(normal);
    }
}

/// <summary>A layer in a field that can hold no other kind.</summary>
internal sealed class Rigid : nn.Module<Tensor, Tensor>
{
    private readonly global::TorchSharp.Modules.Linear fc = nn.Linear(12, 8);

    public Rigid()
        : base(nameof(Rigid)) => RegisterComponents();

    public override Tensor forward(Tensor input) => fc.call(input);
}
