using System.Diagnostics.Tracing;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Gradients;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.LanguageModels.Gradients;

/// <summary>What backward passes hold at a time, by the arrays that are rented.</summary>
public class BackwardMemory
{
    // Rented arrays have powers of two as lengths, and count as that: these sizes, with what Scratch and tiles add, nearly fill them.
    private const int Tokens = 127, Width = 64, Inner = 240, Heads = 4, Vocabulary = 64;

    /// <summary>Of PyTorch's tape of a layer: x, its norm, queries, keys, values, mixed values, the sum, its norm, and of the inner width gate, f(gate), up, product.</summary>
    private const long LayerActivations = Tokens * ((8 * Width) + (4 * Inner)) * sizeof(float);

    private const long LargestWeightAndGradient = 2 * Inner * Width * sizeof(float);

    /// <summary>
    /// The activations of two layers, one matrix (in tiles) and its gradient. Attention's probabilities, [heads, tokens, tokens] in PyTorch's
    /// tape, are not even counted as activations.
    /// </summary>
    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(32)]
    public void IsThatOfTwoLayersWhereActivationsOutweighWeights(int layers)
    {
        using var folder = new TinyLlama();
        Widen(folder, layers);
        using var model = LanguageModel.Open(folder.Write());
        long before = PeakBytes(() => { });
        Assert.Equal(0, before);
        long peak = PeakBytes(() => Run(new RecordedPass(model.Decoder, Sequence, weights: 0)));
        Assert.InRange(peak, LayerActivations, (2 * LayerActivations) + LargestWeightAndGradient);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(32)]
    public void IsThatOfTwoLayersAndASetOfWeightsAndGradientsAtMost(int layers)
    {
        using var folder = new TinyLlama();
        Widen(folder, layers);
        using var model = LanguageModel.Open(folder.Write());
        long weights = folder.Shapes.Values.Sum(shape => shape.Aggregate(1L, (count, side) => count * side));
        long peak = PeakBytes(() => Run(model.Record(Sequence)));
        Assert.InRange(peak, LayerActivations, (2 * LayerActivations) + (2 * weights * sizeof(float)));
    }

    // The same floats, whether activations were kept or are computed again; also where the last tokens have no gradient.
    [Theory]
    [InlineData(Tokens)]
    [InlineData(50)]
    public void ChangesNoGradient(int count)
    {
        using var folder = new TinyLlama();
        Widen(folder, 5);
        using var model = LanguageModel.Open(folder.Write());
        Assert.Equal(Run(new RecordedPass(model.Decoder, Sequence, weights: 0), count).Gradients, Run(new RecordedPass(model.Decoder, Sequence, weights: 1 << 24), count).Gradients);
        Assert.True(PeakBytes(() => Run(new RecordedPass(model.Decoder, Sequence, 1 << 24), count)) > PeakBytes(() => Run(new RecordedPass(model.Decoder, Sequence, 0), count)));
    }

    [Theory]
    [InlineData(0, 15)]
    [InlineData(1, 15)]
    [InlineData(6, 15)]
    [InlineData(16, 15)]
    [InlineData(32, 16)]
    [InlineData(80, 16)]
    [InlineData(80, 3)]
    [InlineData(500, 1)]
    public void KeepsTheFewestInputsThatItMust(int layers, int most)
    {
        int Held(int stride) => ((layers + stride - 1) / stride) + stride - 1;
        int stride = RecordedPass.Stride(layers, most), least = Enumerable.Range(1, Math.Max(1, layers)).Min(Held);
        Assert.True(Held(stride) <= Math.Max(most, least), $"{Held(stride)} with a stride of {stride}");
        Assert.DoesNotContain(Enumerable.Range(1, stride - 1), smaller => Held(smaller) <= Math.Max(most, least));
    }

    private static int[] Sequence => [.. Enumerable.Range(0, Tokens).Select(i => i * 7 % Vocabulary)];

    private static Multiplying Run(RecordedPass record, int count = Tokens)
    {
        using var pass = record;
        float[] gradient = new float[Tokens * pass.HiddenWidth];
        for (int i = 0; i < count * pass.HiddenWidth; i++)
        {
            gradient[i] = 1 + (i % 3);
        }

        var observer = new Multiplying();
        pass.BackwardFromHidden(gradient, observer);
        return observer;
    }

    private static void Widen(TinyLlama llama, int layers)
    {
        (llama.Config["hidden_size"], llama.Config["intermediate_size"], llama.Config["vocab_size"]) = (Width, Inner, Vocabulary);
        (llama.Config["num_attention_heads"], llama.Config["max_position_embeddings"]) = (Heads, 128);
        foreach (var (name, shape) in llama.Shapes.ToArray())
        {
            llama.Shapes[name] = [.. shape.Select(side => side switch { 8 => Width, 12 => Inner, _ => (long)Vocabulary })];
        }

        llama.SetLayers(layers);
    }

    private static long PeakBytes(Action action)
    {
        using var rented = new RentedBytes();
        action();
        return rented.Peak;
    }

    private sealed class Multiplying : IGradientObserver
    {
        public List<float[]> Gradients { get; } = [];

        public void OnLinear(in LinearGradient gradient)
        {
            Gradients.Add(new float[gradient.Rows * gradient.Columns]);
            gradient.Compute(Gradients[^1]);
        }
    }

    /// <summary>Counts what this test rents, on whatever thread; other tests run beside it.</summary>
    private sealed class RentedBytes : EventListener
    {
        private static readonly AsyncLocal<RentedBytes?> Current = new();
        private readonly Lock counting = new();
        private long held;

        public RentedBytes() => Current.Value = this;

        public long Peak { get; private set; }

        public override void Dispose()
        {
            Current.Value = null;
            base.Dispose();
        }

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "System.Buffers.ArrayPoolEventSource")
            {
                EnableEvents(eventSource, EventLevel.Verbose);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (Current.Value != this || eventData.EventName is not ("BufferRented" or "BufferReturned"))
            {
                return;
            }

            // The size is in elements, which are floats here.
            long bytes = (int)eventData.Payload![eventData.PayloadNames!.IndexOf("bufferSize")]! * (long)sizeof(float);
            lock (counting)
            {
                held += eventData.EventName == "BufferRented" ? bytes : -bytes;
                Peak = Math.Max(Peak, held);
            }
        }
    }
}
