using System.Numerics.Tensors;
using Compress.Core.Compression;
using Compress.Core.Emit;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Blocks;
using Compress.Core.LanguageModels.Gradients;

namespace Compress.Core.Recovery;

/// <summary>Tensors that are trained together: their numbers, one after the other.</summary>
internal sealed class TrainableSet
{
    private readonly IReadOnlyList<Trainable> tensors;
    private readonly int[] starts;

    public TrainableSet(IReadOnlyList<Trainable> tensors)
    {
        this.tensors = tensors;
        starts = new int[tensors.Count + 1];
        for (int i = 0; i < tensors.Count; i++)
        {
            starts[i + 1] = starts[i] + tensors[i].Start.Length;
        }

        Units = [.. tensors.SelectMany(tensor => tensor.Units)];
    }

    /// <summary>How many numbers.</summary>
    public int Count => starts[^1];

    /// <summary>The numbers as they are stored.</summary>
    public float[] Start => [.. tensors.SelectMany(tensor => tensor.Start)];

    /// <summary>Of each number its size.</summary>
    public float[] Units { get; }

    /// <summary>The tensors as they are stored with these numbers.</summary>
    public IEnumerable<PackedEntry> Stored(float[] values)
    {
        foreach (var (i, tensor) in tensors.Index())
        {
            var entry = tensor.Entry;
            var own = tensor.Write(values.AsSpan(starts[i]..starts[i + 1])).ToDictionary(pair => pair.Array, pair => pair.Bytes, StringComparer.Ordinal);
            yield return entry with
            {
                Arrays = [.. entry.Arrays.Select(array => own.TryGetValue(array.Name, out byte[]? bytes) ? array with { ByteLength = bytes.Length, CopyTo = stream => stream.Write(bytes) } : array)],
            };
        }
    }

    /// <summary>Gives a model the tensors as they are stored with these numbers: rounded.</summary>
    public void UseStored(LanguageModel model, float[] values)
    {
        foreach (var entry in Stored(values))
        {
            model.UseDequantized(entry.Name, PackedForm.Open(entry));
        }
    }

    /// <summary>Gives a model the weights that these numbers stand for.</summary>
    public void UseValues(LanguageModel model, float[] values)
    {
        float[][] weights = new float[tensors.Count][];
        Threads.For(tensors.Count, i =>
        {
            weights[i] = new float[tensors[i].WeightCount];
            tensors[i].Weights(values.AsSpan(starts[i]..starts[i + 1]), weights[i]);
        });
        for (int i = 0; i < tensors.Count; i++)
        {
            model.UseValues(tensors[i].Entry.Name, weights[i]);
        }
    }

    /// <summary>Adds the gradients of the numbers up.</summary>
    /// <param name="values">The numbers.</param>
    /// <param name="gradient">It is added to it.</param>
    public IGradientObserver Observer(float[] values, float[] gradient) => new Sums(this, values, gradient);

    private sealed class Sums(TrainableSet set, float[] values, float[] gradient) : IGradientObserver
    {
        private readonly Dictionary<string, int> indices = set.tensors.Index().ToDictionary(pair => pair.Item.Entry.Name, pair => pair.Index, StringComparer.Ordinal);

        public void OnLinear(in LinearGradient linear)
        {
            if (indices.TryGetValue(linear.Name, out int index))
            {
                float[] weights = new float[linear.Rows * linear.Columns];
                linear.Compute(weights);
                Add(index, weights);
            }
        }

        public void OnVector(string name, ReadOnlySpan<float> slope)
        {
            if (indices.TryGetValue(name, out int index))
            {
                Add(index, slope);
            }
        }

        public void OnRows(string name, ReadOnlySpan<int> rows, ReadOnlySpan<float> slopes)
        {
            if (!indices.TryGetValue(name, out int index))
            {
                return;
            }

            float[] weights = new float[set.tensors[index].WeightCount];
            int width = slopes.Length / rows.Length;
            for (int token = 0; token < rows.Length; token++)
            {
                var row = weights.AsSpan(rows[token] * width, width);
                TensorPrimitives.Add(row, slopes.Slice(token * width, width), row);
            }

            Add(index, weights);
        }

        private void Add(int index, ReadOnlySpan<float> weights)
        {
            var own = set.starts[index]..set.starts[index + 1];
            set.tensors[index].AddGradient(values.AsSpan(own), weights, gradient.AsSpan(own));
        }
    }
}
