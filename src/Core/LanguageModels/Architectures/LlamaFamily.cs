using Compress.Core.LanguageModels.Blocks;
using Compress.Core.LanguageModels.Weights;

namespace Compress.Core.LanguageModels.Architectures;

/// <summary>
/// Llama (Touvron et al., arXiv 2302.13971), Mistral (Jiang et al., arXiv 2310.06825) and Qwen2 (Yang et al., arXiv 2407.10671): RMSNorm,
/// rotary embeddings, grouped-query attention, gated feed-forward. SmolLM and many others are Llamas.
/// </summary>
internal sealed class LlamaFamily : IArchitecture
{
    private const string Mistral = "MistralForCausalLM", Qwen2 = "Qwen2ForCausalLM";

    private const int MaxHeadSize = 1 << 12; // ten times that of any known model

    public IReadOnlyList<string> Names { get; } = ["LlamaForCausalLM", Mistral, Qwen2];

    public Decoder Build(string name, ModelConfig config, ParameterSet parameters)
    {
        int width = config.Int("hidden_size"), vocabulary = config.Int("vocab_size");
        var embedding = Embedding(config, parameters, vocabulary, width);
        var shape = Shape(config, width);
        var rotary = new Rotary(RotaryScaling.Frequencies(config, shape.HeadSize));
        int layers = config.Int("num_hidden_layers", min: 0);
        return new()
        {
            MaxPositions = config.Int("max_position_embeddings"),
            TokenEmbedding = embedding,
            Layers = [.. Enumerable.Range(0, layers).Select(i => Layer(name, config, parameters, i, shape with { Window = Window(name, config, i) }, rotary))],
            FinalNorm = Norm(config, parameters, "norm.weight", width),
            Head = new(config.BoolOr("tie_word_embeddings", false) ? embedding : parameters.TakeExact("lm_head.weight", vocabulary, width)),
        };
    }

    private static Parameter Embedding(ModelConfig config, ParameterSet parameters, int vocabulary, int width)
    {
        parameters.FindPrefix("model.", "", "embed_tokens.weight");
        parameters.Ignore(".rotary_emb.inv_freq"); // in files of 2023
        if (config.BoolOr("tie_word_embeddings", false))
        {
            parameters.Ignore("lm_head.weight");
        }

        return parameters.Take("embed_tokens.weight", vocabulary, width);
    }

    private static DecoderLayer Layer(string name, ModelConfig config, ParameterSet parameters, int index, AttentionShape shape, Rotary rotary)
    {
        int width = config.Int("hidden_size"), inner = config.Int("intermediate_size");
        bool attentionBias = config.BoolOr("attention_bias", false), innerBias = config.BoolOr("mlp_bias", false);
        bool queryBias = name == Qwen2 || attentionBias;
        string layer = $"layers.{index}.", attention = layer + "self_attn.", feedForward = layer + "mlp.";

        Linear Linear(string path, int outputs, int inputs, bool bias) =>
            new(parameters.Take(path + ".weight", outputs, inputs), bias ? parameters.Take(path + ".bias", outputs) : null);

        return new(
            Norm(config, parameters, layer + "input_layernorm.weight", width),
            new(
                [
                    Linear(attention + "q_proj", shape.QueryWidth, width, queryBias),
                    Linear(attention + "k_proj", shape.KeyWidth, width, queryBias),
                    Linear(attention + "v_proj", shape.KeyWidth, width, queryBias),
                ],
                Linear(attention + "o_proj", width, shape.QueryWidth, attentionBias),
                shape,
                rotary),
            Norm(config, parameters, layer + "post_attention_layernorm.weight", width),
            new(
                Linear(feedForward + "gate_proj", inner, width, innerBias),
                Linear(feedForward + "up_proj", inner, width, innerBias),
                Linear(feedForward + "down_proj", width, inner, innerBias),
                config.Activation("hidden_act", "silu")));
    }

    private static RmsNorm Norm(ModelConfig config, ParameterSet parameters, string name, int width) =>
        new(parameters.Take(name, width), config.FloatOr("rms_norm_eps", 1e-6f));

    private static AttentionShape Shape(ModelConfig config, int width)
    {
        int heads = config.Int("num_attention_heads"), keyValueHeads = config.IntOr("num_key_value_heads", heads);
        if (heads % keyValueHeads != 0)
        {
            throw config.Wrong("num_key_value_heads", $"a divisor of the {heads} of 'num_attention_heads'");
        }

        if (!config.Has("head_dim") && width % heads != 0)
        {
            throw config.Wrong("num_attention_heads", $"a divisor of the {width} of 'hidden_size', or 'head_dim'");
        }

        int size = config.IntOr("head_dim", width / heads);
        return size % 2 == 0 && size <= MaxHeadSize ? new(heads, keyValueHeads, size)
            : throw config.Wrong(config.Has("head_dim") ? "head_dim" : "num_attention_heads", $"heads of an even size up to {MaxHeadSize}");
    }

    // Qwen2 has a window in its configuration even where it is not used.
    private static int Window(string name, ModelConfig config, int layer) => name switch
    {
        Mistral => config.IntOr("sliding_window", int.MaxValue),
        Qwen2 when config.BoolOr("use_sliding_window", false) && layer >= config.IntOr("max_window_layers", 0, min: 0) =>
            config.IntOr("sliding_window", int.MaxValue),
        _ => int.MaxValue,
    };
}
