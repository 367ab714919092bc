using System.Text.Json.Nodes;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.LanguageModels;

/// <summary>A Llama of one layer in a folder of its own, to be spoilt by tests: width 8, 2 heads of 4, hidden 12, vocabulary 10, untied head.</summary>
internal sealed class TinyLlama : IDisposable
{
    private readonly TempFolder folder = new();

    public JsonObject Config { get; } = new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["hidden_size"] = 8,
        ["intermediate_size"] = 12,
        ["num_hidden_layers"] = 1,
        ["num_attention_heads"] = 2,
        ["vocab_size"] = 10,
        ["max_position_embeddings"] = 16,
    };

    /// <summary>Shapes of all tensors, which are Gaussian.</summary>
    public Dictionary<string, long[]> Shapes { get; } = new()
    {
        ["model.embed_tokens.weight"] = [10, 8],
        ["model.layers.0.input_layernorm.weight"] = [8],
        ["model.layers.0.self_attn.q_proj.weight"] = [8, 8],
        ["model.layers.0.self_attn.k_proj.weight"] = [8, 8],
        ["model.layers.0.self_attn.v_proj.weight"] = [8, 8],
        ["model.layers.0.self_attn.o_proj.weight"] = [8, 8],
        ["model.layers.0.post_attention_layernorm.weight"] = [8],
        ["model.layers.0.mlp.gate_proj.weight"] = [12, 8],
        ["model.layers.0.mlp.up_proj.weight"] = [12, 8],
        ["model.layers.0.mlp.down_proj.weight"] = [8, 12],
        ["model.norm.weight"] = [8],
        ["lm_head.weight"] = [10, 8],
    };

    public string Folder => folder.Path;

    public string ConfigFile => folder["config.json"];

    public string WeightsFile => folder["model.safetensors"];

    /// <summary>Gives it so many layers like the first.</summary>
    public void SetLayers(int count)
    {
        const string First = "model.layers.0.";
        Config["num_hidden_layers"] = count;
        foreach (var (name, shape) in Shapes.Where(pair => pair.Key.StartsWith(First, StringComparison.Ordinal)).ToArray())
        {
            for (int layer = 1; layer < count; layer++)
            {
                Shapes.Add($"model.layers.{layer}.{name[First.Length..]}", shape);
            }
        }
    }

    /// <summary>Writes both files and returns the folder.</summary>
    public string Write()
    {
        WriteWeights();
        File.WriteAllText(ConfigFile, Config.ToJsonString());
        return Folder;
    }

    /// <summary>Writes the weights only.</summary>
    public void WriteWeights()
    {
        var model = new TestModel();
        int seed = 0;
        foreach (var (name, shape) in Shapes)
        {
            model.Add(name, shape, TestModel.Gaussian((int)shape.Aggregate(1L, (a, b) => a * b), ++seed));
        }

        model.Write(WeightsFile);
    }

    public void Dispose() => folder.Dispose();
}
