using System.Text.Json;
using Compress.Runtime;

namespace ConsumerApp;

/// <summary>
/// A Llama, one token at a time. Every matrix product is computed straight from the packed weights, which are never unpacked;
/// with a file of floats instead of a packed one, the same code computes from those.
/// </summary>
internal sealed class Llama
{
    private readonly Stories weights;
    private readonly int heads, keyHeads, headSize;
    private readonly float epsilon, theta;

    // Vectors: dim 64, hidden 172, vocabulary 512 in stories260K.
    private readonly float[] x;           // [dim] what flows from layer to layer
    private readonly float[] normed;      // [dim]
    private readonly float[] q;           // [heads · headSize] = [dim]
    private readonly float[] attended;    // [heads · headSize]
    private readonly float[] projected;   // [dim]
    private readonly float[] gate, up;    // [hidden]
    private readonly float[] scores;      // [context] of one head
    private readonly float[] logits;      // [vocabulary]
    private readonly float[][] keys, values; // [layers][context · keyHeads · headSize] of all tokens so far
    private readonly float[][] attentionNorms, mlpNorms; // [layers][dim]
    private readonly float[] finalNorm;   // [dim]

    /// <param name="weights">The weights, which must live as long as this.</param>
    /// <param name="configPath">The model's config.json.</param>
    public Llama(Stories weights, string configPath)
    {
        this.weights = weights;
        using var json = JsonDocument.Parse(File.ReadAllBytes(configPath));
        var config = json.RootElement;
        heads = config.GetProperty("num_attention_heads").GetInt32();
        keyHeads = config.GetProperty("num_key_value_heads").GetInt32();
        headSize = config.GetProperty("head_dim").GetInt32();
        epsilon = config.GetProperty("rms_norm_eps").GetSingle();
        theta = config.GetProperty("rope_theta").GetSingle();
        Context = config.GetProperty("max_position_embeddings").GetInt32();

        var layers = weights.Model.Layers;
        var embedding = weights.Model.EmbedTokens.Weight; // [vocabulary, dim]
        (x, normed, projected) = (new float[embedding.Columns], new float[embedding.Columns], new float[embedding.Columns]);
        (q, attended) = (new float[heads * headSize], new float[heads * headSize]);
        int hidden = layers[0].Mlp.GateProj.Weight.Rows;
        (gate, up) = (new float[hidden], new float[hidden]);
        (scores, logits) = (new float[Context], new float[embedding.Rows]);
        keys = [.. Enumerable.Range(0, layers.Count).Select(_ => new float[Context * keyHeads * headSize])];
        values = [.. keys.Select(layer => new float[layer.Length])];

        // Vectors are small and kept as floats: read once.
        attentionNorms = [.. Enumerable.Range(0, layers.Count).Select(i => Floats(layers[i].InputLayernorm.Weight))];
        mlpNorms = [.. Enumerable.Range(0, layers.Count).Select(i => Floats(layers[i].PostAttentionLayernorm.Weight))];
        finalNorm = Floats(weights.Model.Norm.Weight);
    }

    /// <summary>The most tokens that the model was trained to look back on.</summary>
    public int Context { get; }

    /// <summary>Reads one token.</summary>
    /// <param name="token">Its number.</param>
    /// <param name="position">0 for the first, and so on, less than <see cref="Context"/>.</param>
    /// <returns>How likely each token is to come next, <c>[vocabulary]</c>; valid until the next call.</returns>
    public ReadOnlySpan<float> Read(int token, int position)
    {
        weights.Model.EmbedTokens.Weight.DequantizeRows(token, 1, x);
        for (int i = 0; i < keys.Length; i++)
        {
            var layer = weights.Model.Layers[i];
            Normalize(x, attentionNorms[i], normed);
            Attend(i, position);
            layer.SelfAttn.OProj.Weight.Multiply(attended, projected);
            Add(x, projected);

            Normalize(x, mlpNorms[i], normed);
            layer.Mlp.GateProj.Weight.Multiply(normed, gate);
            layer.Mlp.UpProj.Weight.Multiply(normed, up);
            for (int j = 0; j < gate.Length; j++)
            {
                gate[j] *= up[j] / (1 + MathF.Exp(-gate[j])); // SwiGLU: silu(gate) · up
            }

            layer.Mlp.DownProj.Weight.Multiply(gate, projected);
            Add(x, projected);
        }

        Normalize(x, finalNorm, normed);
        weights.Model.EmbedTokens.Weight.Multiply(normed, logits); // the head is tied to the embedding
        return logits;
    }

    // From normed to attended; adds this position's key and value to the layer's cache.
    private void Attend(int layer, int position)
    {
        int keySize = keyHeads * headSize;
        var key = keys[layer].AsSpan(position * keySize, keySize);
        var attention = weights.Model.Layers[layer].SelfAttn;
        attention.QProj.Weight.Multiply(normed, q);
        attention.KProj.Weight.Multiply(normed, key);
        attention.VProj.Weight.Multiply(normed, values[layer].AsSpan(position * keySize, keySize));
        Rotate(q, position);
        Rotate(key, position);

        for (int head = 0; head < heads; head++)
        {
            int keyHead = head * keyHeads / heads; // grouped queries: several heads share one key and value
            var query = q.AsSpan(head * headSize, headSize);
            float max = float.NegativeInfinity;
            for (int t = 0; t <= position; t++)
            {
                scores[t] = Dot(query, keys[layer].AsSpan((t * keySize) + (keyHead * headSize), headSize)) / MathF.Sqrt(headSize);
                max = MathF.Max(max, scores[t]);
            }

            float sum = 0;
            var result = attended.AsSpan(head * headSize, headSize);
            result.Clear();
            for (int t = 0; t <= position; t++)
            {
                float weight = MathF.Exp(scores[t] - max);
                sum += weight;
                var value = values[layer].AsSpan((t * keySize) + (keyHead * headSize), headSize);
                for (int j = 0; j < headSize; j++)
                {
                    result[j] += weight * value[j];
                }
            }

            for (int j = 0; j < headSize; j++)
            {
                result[j] /= sum;
            }
        }
    }

    // Rotary position: turns the pair (j, j + headSize / 2) of each head by position · theta^(−2j / headSize).
    private void Rotate(Span<float> vector, int position)
    {
        int half = headSize / 2;
        for (int j = 0; j < half; j++)
        {
            var (sin, cos) = MathF.SinCos(position * MathF.Pow(theta, -2f * j / headSize));
            for (int start = j; start < vector.Length; start += headSize)
            {
                var (a, b) = (vector[start], vector[start + half]);
                (vector[start], vector[start + half]) = ((a * cos) - (b * sin), (b * cos) + (a * sin));
            }
        }
    }

    // RMSNorm: weight · vector / sqrt(mean square + epsilon).
    private void Normalize(ReadOnlySpan<float> vector, ReadOnlySpan<float> weight, Span<float> result)
    {
        float scale = 1 / MathF.Sqrt((Dot(vector, vector) / vector.Length) + epsilon);
        for (int i = 0; i < vector.Length; i++)
        {
            result[i] = weight[i] * vector[i] * scale;
        }
    }

    private static float[] Floats(PackedTensor tensor)
    {
        float[] floats = new float[tensor.Count];
        tensor.Dequantize(floats);
        return floats;
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        float sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    private static void Add(Span<float> target, ReadOnlySpan<float> more)
    {
        for (int i = 0; i < target.Length; i++)
        {
            target[i] += more[i];
        }
    }
}
