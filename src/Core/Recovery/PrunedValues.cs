using Compress.Runtime.Codecs.Sparse;

namespace Compress.Core.Recovery;

/// <summary>What is continuous in the weights that a <c>sparse</c> tensor keeps. The others stay zero.</summary>
internal sealed class PrunedValues : Trainable
{
    private readonly Trainable kept;
    private readonly int[] places; // of the kept weights in the matrix
    private readonly int count;

    public PrunedValues(StoredTensor stored, int rows, int columns)
    {
        count = rows * columns;
        int values = stored.Int("kept");
        kept = TrainableTensors.OfPart(stored.Nested("values"), 1, values);
        var mask = MaskReader.Read(stored.Parts(), rows, columns, values);
        float[] ones = new float[columns + Expansion.Padding], line = new float[columns];
        Array.Fill(ones, 1);
        var found = new List<int>(values);
        for (int row = 0; row < rows; row++)
        {
            mask.Expand(row, ones, line, vectors: false);
            found.AddRange(Enumerable.Range(0, columns).Where(column => line[column] != 0).Select(column => (row * columns) + column));
        }

        places = [.. found];
    }

    public override float[] Start => kept.Start;

    public override float[] Units => kept.Units;

    public override int WeightCount => count;

    public override void Weights(ReadOnlySpan<float> values, Span<float> weights)
    {
        float[] own = new float[places.Length];
        kept.Weights(values, own);
        weights[..count].Clear();
        for (int i = 0; i < own.Length; i++)
        {
            weights[places[i]] = own[i];
        }
    }

    public override void AddGradient(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> gradient)
    {
        float[] own = new float[places.Length];
        for (int i = 0; i < own.Length; i++)
        {
            own[i] = weights[places[i]];
        }

        kept.AddGradient(values, own, gradient);
    }

    public override IEnumerable<(string Array, byte[] Bytes)> Write(ReadOnlySpan<float> values) => kept.Write(values);
}
