using System.Text.Json.Nodes;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels;

namespace Compress.Core.Tests.LanguageModels;

public sealed class UnfitConfigurations : IDisposable
{
    private readonly TinyLlama model = new();

    public void Dispose() => model.Dispose();

    [Fact]
    public void NoneAtAll()
    {
        model.WriteWeights();
        Fails(Codes.LanguageModelConfig, "there is no config.json beside the model");
    }

    [Theory]
    [InlineData("", 1, 1, "not valid JSON")]
    [InlineData("[]", 1, 1, "not a JSON object")]
    [InlineData("{\"a\": 1,\n \"b\" 2}", 2, 6, "not valid JSON")]
    [InlineData("{\"a\": 1} {", 1, 10, "not valid JSON")]
    [InlineData("{\"architectures\": [\"LlamaForCausalLM\"]}", 1, 1, "the key 'hidden_size' is missing")]
    [InlineData("{\"architectures\": [\"LlamaForCausalLM\"],\n  \"hidden_size\": -8}", 2, 18, "'hidden_size': found -8, expected a whole number from 1")]
    [InlineData("{\"architectures\": \"LlamaForCausalLM\"}", 1, 19, "'architectures': found \"LlamaForCausalLM\", expected a list of texts")]
    public void Malformed(string json, int line, int column, string says)
    {
        model.WriteWeights();
        File.WriteAllText(model.ConfigFile, json);
        var diagnostic = Fails(Codes.LanguageModelConfig, says);
        Assert.Equal((line, column), (diagnostic.Line, diagnostic.Column));
    }

    [Theory]
    [InlineData("num_key_value_heads", "3", "a divisor of the 2 of 'num_attention_heads'")]
    [InlineData("num_attention_heads", "3", "a divisor of the 8 of 'hidden_size'")]
    [InlineData("head_dim", "5", "heads of an even size")]
    [InlineData("head_dim", "1000000000", "heads of an even size up to 4096")]
    [InlineData("hidden_act", "\"glu\"", "one of relu, silu")]
    [InlineData("rms_norm_eps", "0", "a positive number")]
    [InlineData("rms_norm_eps", "1e99", "a positive number")]
    [InlineData("attention_bias", "1", "true or false")]
    [InlineData("rope_scaling", "7", "an object")]
    [InlineData("rope_scaling", "{\"rope_type\": \"yarn\"}", "'rope_scaling.rope_type': found \"yarn\", expected one of default, linear, llama3")]
    [InlineData("rope_scaling", "{\"type\": \"linear\"}", "the key 'rope_scaling.factor' is missing")]
    [InlineData("hidden_size", "\"8\"", "a whole number")]
    public void ValuesThatMakeNoSense(string key, string value, string says)
    {
        model.Config[key] = JsonNode.Parse(value);
        model.Write();
        Fails(Codes.LanguageModelConfig, says);
    }

    [Fact]
    public void NotUtf8()
    {
        model.WriteWeights();
        File.WriteAllBytes(model.ConfigFile, [(byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}']);
        Fails(Codes.LanguageModelConfig, "not UTF-8");
    }

    [Fact]
    public void TooLong()
    {
        model.WriteWeights();
        File.WriteAllText(model.ConfigFile, new string(' ', 2 << 20));
        Fails(Codes.LanguageModelConfig, "longer than 1 MiB");
    }

    [Fact]
    public void TooDeep()
    {
        model.WriteWeights();
        File.WriteAllText(model.ConfigFile, "{\"a\":" + new string('[', 100_000));
        Fails(Codes.LanguageModelConfig, "not valid JSON");
    }

    [Theory]
    [InlineData("[\"BertForMaskedLM\"]", "the architecture 'BertForMaskedLM' is not known; known are LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM")]
    [InlineData("[]", "the configuration names no architecture; known are LlamaForCausalLM")]
    [InlineData("null", "the configuration names no architecture; known are LlamaForCausalLM")]
    public void UnknownArchitecture(string architectures, string says)
    {
        model.Config["architectures"] = JsonNode.Parse(architectures);
        model.Write();
        Fails(Codes.LanguageModelUnknown, says);
    }

    [Fact]
    public void MissingExtraAndMisshapenTensorsAreAllNamed()
    {
        model.Shapes.Remove("model.norm.weight");
        model.Shapes["model.layers.0.mlp.up_proj.weight"] = [12, 9];
        model.Shapes["model.layers.0.mlp.up_proj.bias"] = [12];
        model.Write();
        Fails(
            Codes.LanguageModelTensors,
            "the model has no tensor 'model.norm.weight' [8]; of another shape: 'model.layers.0.mlp.up_proj.weight' is F32 [12, 9], expected [12, 8]; "
            + "not known to this architecture: 'model.layers.0.mlp.up_proj.bias'");
    }

    [Fact]
    public void MoreLayersThanTheModelHas()
    {
        model.Config["num_hidden_layers"] = 1_000_000_000;
        model.Write();
        Fails(Codes.LanguageModelTensors, "'model.layers.1.input_layernorm.weight' [8], 'model.layers.1.self_attn.q_proj.weight' [8, 8]");
    }

    [Fact]
    public void FewerLayersThanTheModelHas()
    {
        model.Config["num_hidden_layers"] = 0;
        model.Write();
        Fails(Codes.LanguageModelTensors, "not known to this architecture: 'model.layers.0.input_layernorm.weight'");
    }

    [Fact]
    public void BiasesThatAreNotThere()
    {
        model.Config["attention_bias"] = true;
        model.Write();
        Fails(Codes.LanguageModelTensors, "'model.layers.0.self_attn.q_proj.bias' [8]");
    }

    private Diagnostic Fails(string code, string says)
    {
        var diagnostic = Assert.Throws<CompressException>(() => LanguageModel.Open(model.Folder)).Diagnostic;
        Assert.Equal((code, model.ConfigFile), (diagnostic.Code, diagnostic.File));
        Assert.Contains(says, diagnostic.Message);
        return diagnostic;
    }
}
