using Compress.Core.LanguageModels.Blocks;
using Compress.Core.LanguageModels.Weights;

namespace Compress.Core.LanguageModels.Architectures;

/// <summary>
/// OPT (Zhang et al., arXiv 2205.01068): learned positions, LayerNorm, biases, ReLU. The smallest but one has its norms after the additions, and
/// embeddings narrower than its layers.
/// </summary>
internal sealed class Opt : IArchitecture
{
    private const float Epsilon = 1e-5f; // not in the configuration

    public IReadOnlyList<string> Names { get; } = ["OPTForCausalLM"];

    public Decoder Build(string name, ModelConfig config, ParameterSet parameters)
    {
        parameters.FindPrefix("model.decoder.", "decoder.", "embed_tokens.weight");
        int width = config.Int("hidden_size"), vocabulary = config.Int("vocab_size"), positions = config.Int("max_position_embeddings");
        int embeddingWidth = config.IntOr("word_embed_proj_dim", width);
        bool normFirst = config.BoolOr("do_layer_norm_before", true), tied = config.BoolOr("tie_word_embeddings", true);
        bool projects = embeddingWidth != width;
        var embedding = parameters.Take("embed_tokens.weight", vocabulary, embeddingWidth);
        if (tied)
        {
            parameters.Ignore("lm_head.weight");
        }

        return new()
        {
            MaxPositions = positions,
            TokenEmbedding = embedding,
            PositionEmbedding = parameters.Take("embed_positions.weight", (long)positions + 2, width),
            PositionOffset = 2, // the first two rows are for padding
            ProjectIn = projects ? new(parameters.Take("project_in.weight", width, embeddingWidth)) : null,
            Layers = [.. Enumerable.Range(0, config.Int("num_hidden_layers", min: 0)).Select(i => Layer(config, parameters, $"layers.{i}.", normFirst))],
            FinalNorm = normFirst && !config.BoolOr("_remove_final_layer_norm", false) ? Norm(config, parameters, "final_layer_norm") : null,
            ProjectOut = projects ? new(parameters.Take("project_out.weight", embeddingWidth, width)) : null,
            Head = new(tied ? embedding : parameters.TakeExact("lm_head.weight", vocabulary, embeddingWidth)),
        };
    }

    private static DecoderLayer Layer(ModelConfig config, ParameterSet parameters, string layer, bool normFirst)
    {
        int width = config.Int("hidden_size"), inner = config.Int("ffn_dim"), heads = config.HeadsOf(width, "num_attention_heads", "hidden_size");
        bool biases = config.BoolOr("enable_bias", true);

        Linear Linear(string path, int outputs, int inputs) =>
            new(parameters.Take(layer + path + ".weight", outputs, inputs), biases ? parameters.Take(layer + path + ".bias", outputs) : null);

        return new(
            Norm(config, parameters, layer + "self_attn_layer_norm"),
            new(
                [Linear("self_attn.q_proj", width, width), Linear("self_attn.k_proj", width, width), Linear("self_attn.v_proj", width, width)],
                Linear("self_attn.out_proj", width, width),
                new(heads, heads, width / heads)),
            Norm(config, parameters, layer + "final_layer_norm"),
            new(null, Linear("fc1", inner, width), Linear("fc2", width, inner), config.Activation("activation_function", "relu")),
            normFirst);
    }

    private static LayerNorm Norm(ModelConfig config, ParameterSet parameters, string path)
    {
        int width = config.Int("hidden_size");
        return config.BoolOr("layer_norm_elementwise_affine", true)
            ? new(parameters.Take(path + ".weight", width), parameters.Take(path + ".bias", width), Epsilon)
            : new(null, null, Epsilon);
    }
}
