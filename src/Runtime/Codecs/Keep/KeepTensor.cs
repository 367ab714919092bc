namespace Compress.Runtime.Codecs.Keep;

/// <summary>A tensor stored as it is, in its own element type or in a narrower float type.</summary>
internal sealed class KeepTensor : PackedTensor
{
    public KeepTensor(PackedParts parts)
        : base(parts) => throw parts.Bad("not written yet");

    public override string Codec => "keep";

    private protected override void DequantizeRow(int row, Span<float> destination) => throw new InvalidOperationException();

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch) => throw new InvalidOperationException();
}
