namespace Compress.Core.Recovery;

/// <summary>A part of a tensor in which nothing is trained.</summary>
internal sealed class FixedWeights(float[] own) : Trainable
{
    public override float[] Start => [];

    public override float[] Units => [];

    public override int WeightCount => own.Length;

    public override void Weights(ReadOnlySpan<float> values, Span<float> weights) => own.CopyTo(weights);

    public override void AddGradient(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> gradient)
    {
    }

    public override IEnumerable<(string Array, byte[] Bytes)> Write(ReadOnlySpan<float> values) => [];
}
