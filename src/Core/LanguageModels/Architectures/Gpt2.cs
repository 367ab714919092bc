using Compress.Core.LanguageModels.Blocks;
using Compress.Core.LanguageModels.Weights;

namespace Compress.Core.LanguageModels.Architectures;

/// <summary>
/// GPT-2 (Radford et al., "Language models are unsupervised multitask learners", 2019): learned positions, LayerNorm, one layer for queries, keys
/// and values. Its linear layers store their weights as [in, out].
/// </summary>
internal sealed class Gpt2 : IArchitecture
{
    public IReadOnlyList<string> Names { get; } = ["GPT2LMHeadModel"];

    public Decoder Build(string name, ModelConfig config, ParameterSet parameters)
    {
        parameters.FindPrefix("transformer.", "", "wte.weight");
        int width = config.Int("n_embd"), vocabulary = config.Int("vocab_size"), positions = config.Int("n_positions");
        bool tied = config.BoolOr("tie_word_embeddings", true);
        var embedding = parameters.Take("wte.weight", vocabulary, width);
        parameters.Ignore(".attn.bias"); // the causal mask, in older files
        parameters.Ignore(".attn.masked_bias");
        if (tied)
        {
            parameters.Ignore("lm_head.weight");
        }

        return new()
        {
            MaxPositions = positions,
            TokenEmbedding = embedding,
            PositionEmbedding = parameters.Take("wpe.weight", positions, width),
            Layers = [.. Enumerable.Range(0, config.Int("n_layer", min: 0)).Select(i => Layer(config, parameters, i))],
            FinalNorm = Norm(config, parameters, "ln_f"),
            Head = new(tied ? embedding : parameters.TakeExact("lm_head.weight", vocabulary, width)),
        };
    }

    private static DecoderLayer Layer(ModelConfig config, ParameterSet parameters, int index)
    {
        int width = config.Int("n_embd"), inner = config.IntOr("n_inner", 4 * width), heads = config.HeadsOf(width, "n_head", "n_embd");
        string layer = $"h.{index}.";

        Linear Linear(string path, int outputs, int inputs) => new(
            parameters.Take(layer + path + ".weight", inputs, outputs), parameters.Take(layer + path + ".bias", outputs), transposed: true);

        float scale = config.BoolOr("scale_attn_weights", true) ? 1 / MathF.Sqrt(width / heads) : 1;
        scale /= config.BoolOr("scale_attn_by_inverse_layer_idx", false) ? index + 1 : 1;
        return new(
            Norm(config, parameters, layer + "ln_1"),
            new([Linear("attn.c_attn", 3 * width, width)], Linear("attn.c_proj", width, width), new(heads, heads, width / heads) { Scale = scale }),
            Norm(config, parameters, layer + "ln_2"),
            new(null, Linear("mlp.c_fc", inner, width), Linear("mlp.c_proj", width, inner), config.Activation("activation_function", "gelu_new")));
    }

    private static LayerNorm Norm(ModelConfig config, ParameterSet parameters, string path)
    {
        int width = config.Int("n_embd");
        return new(parameters.Take(path + ".weight", width), parameters.Take(path + ".bias", width), config.FloatOr("layer_norm_epsilon", 1e-5f));
    }
}
