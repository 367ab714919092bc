using System.Text.Json.Nodes;
using Compress.Core.Models;

namespace Compress.Core.Tests.LanguageModels.Gradients;

/// <summary>
/// The forward pass of all architectures once more, in double, token by token and value by value: what finite differences are taken of. Shares no
/// code with the project's.
/// </summary>
internal sealed class DoubleModel
{
    private readonly JsonNode config;
    private readonly string prefix;

    public DoubleModel(string folder)
    {
        config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!;
        using var source = ModelFile.Open(folder);
        foreach (var tensor in source.Tensors)
        {
            float[] values = new float[tensor.Count];
            tensor.ReadRows(0, tensor.Rows, values);
            Tensors.Add(tensor.Name, [.. values.Select(value => (double)value)]);
        }

        prefix = ((string[])["model.decoder.", "decoder.", "model.", "transformer.", ""])
            .First(p => ((string[])["embed_tokens.weight", "wte.weight"]).Any(name => Tensors.ContainsKey(p + name)));
    }

    /// <summary>All weights, to be changed at will.</summary>
    public Dictionary<string, double[]> Tensors { get; } = [];

    private string Architecture => (string)config["architectures"]![0]!;

    /// <summary>Σ −ln p of each token after the first, in nats.</summary>
    public double Loss(int[] tokens)
    {
        double loss = 0;
        double[][] hidden = Hidden(tokens);
        for (int t = 0; t < tokens.Length - 1; t++)
        {
            double[] logits = Multiply(Head, hidden[t]);
            double max = logits.Max();
            loss += Math.Log(logits.Sum(logit => Math.Exp(logit - max))) - (logits[tokens[t + 1]] - max);
        }

        return loss;
    }

    /// <summary>What the head is applied to.</summary>
    public double[][] Hidden(int[] tokens) => Architecture switch
    {
        "OPTForCausalLM" => Opt(tokens),
        "GPT2LMHeadModel" => Gpt2(tokens),
        _ => Llama(tokens),
    };

    private double[] Head => Flag("tie_word_embeddings", Architecture is "OPTForCausalLM" or "GPT2LMHeadModel")
        ? Tensors[prefix + (Architecture == "GPT2LMHeadModel" ? "wte.weight" : "embed_tokens.weight")]
        : Tensors["lm_head.weight"];

    private double[][] Llama(int[] tokens)
    {
        int width = Int("hidden_size"), heads = Int("num_attention_heads"), keys = Int("num_key_value_heads", heads), size = Int("head_dim", width / heads);
        double epsilon = Real("rms_norm_eps", 1e-6);
        double[] frequencies = Frequencies(size);
        double[][] x = Embed("embed_tokens.weight", tokens, width);
        for (int i = 0; i < Int("num_hidden_layers"); i++)
        {
            string layer = $"{prefix}layers.{i}.", attention = layer + "self_attn.", mlp = layer + "mlp.";
            int window = Architecture == "MistralForCausalLM" || (Architecture == "Qwen2ForCausalLM" && Flag("use_sliding_window", false) && i >= Int("max_window_layers"))
                ? Int("sliding_window", int.MaxValue) : int.MaxValue;
            double[][] h = [.. x.Select(v => RmsNorm(v, layer + "input_layernorm", epsilon))];
            double[][] q = Turn(Linear(attention + "q_proj", h), size, frequencies), k = Turn(Linear(attention + "k_proj", h), size, frequencies);
            double[][] mixed = Attend(q, k, Linear(attention + "v_proj", h), heads, keys, 1 / Math.Sqrt(size), window);
            x = Add(x, Linear(attention + "o_proj", mixed));
            h = [.. x.Select(v => RmsNorm(v, layer + "post_attention_layernorm", epsilon))];
            double[][] gate = Linear(mlp + "gate_proj", h), up = Linear(mlp + "up_proj", h);
            x = Add(x, Linear(mlp + "down_proj", [.. gate.Zip(up, (g, u) => g.Zip(u, (a, b) => a / (1 + Math.Exp(-a)) * b).ToArray())]));
        }

        return [.. x.Select(v => RmsNorm(v, prefix + "norm", epsilon))];
    }

    private double[][] Opt(int[] tokens)
    {
        int width = Int("hidden_size"), heads = Int("num_attention_heads"), embedded = Int("word_embed_proj_dim", width);
        bool before = Flag("do_layer_norm_before", true);
        double[][] x = Embed("embed_tokens.weight", tokens, embedded);
        x = Add(embedded == width ? x : Linear(prefix + "project_in", x), Embed("embed_positions.weight", [.. tokens.Select((_, t) => t + 2)], width));
        for (int i = 0; i < Int("num_hidden_layers"); i++)
        {
            string layer = $"{prefix}layers.{i}.", attention = layer + "self_attn.";
            double[][] h = before ? LayerNorm(layer + "self_attn_layer_norm", x) : x;
            x = Add(x, Linear(attention + "out_proj", Attend(
                Linear(attention + "q_proj", h), Linear(attention + "k_proj", h), Linear(attention + "v_proj", h), heads, heads, 1 / Math.Sqrt(width / heads), int.MaxValue)));
            x = before ? x : LayerNorm(layer + "self_attn_layer_norm", x);
            h = before ? LayerNorm(layer + "final_layer_norm", x) : x;
            x = Add(x, Linear(layer + "fc2", [.. Linear(layer + "fc1", h).Select(v => v.Select(a => Math.Max(a, 0)).ToArray())]));
            x = before ? x : LayerNorm(layer + "final_layer_norm", x);
        }

        x = before ? LayerNorm(prefix + "final_layer_norm", x) : x;
        return embedded == width ? x : Linear(prefix + "project_out", x);
    }

    private double[][] Gpt2(int[] tokens)
    {
        int width = Int("n_embd"), heads = Int("n_head");
        bool exact = (string?)config["activation_function"] == "gelu";
        double[][] x = Add(Embed("wte.weight", tokens, width), Embed("wpe.weight", [.. tokens.Select((_, t) => t)], width));
        for (int i = 0; i < Int("n_layer"); i++)
        {
            string layer = $"{prefix}h.{i}.";
            double scale = 1 / Math.Sqrt(width / heads) / (Flag("scale_attn_by_inverse_layer_idx", false) ? i + 1 : 1);
            double[][] all = Linear(layer + "attn.c_attn", LayerNorm(layer + "ln_1", x), transposed: true);
            double[][] mixed = Attend(Part(all, 0, width), Part(all, width, width), Part(all, 2 * width, width), heads, heads, scale, int.MaxValue);
            x = Add(x, Linear(layer + "attn.c_proj", mixed, transposed: true));
            double[][] inner = Linear(layer + "mlp.c_fc", LayerNorm(layer + "ln_2", x), transposed: true);
            x = Add(x, Linear(layer + "mlp.c_proj", [.. inner.Select(v => v.Select(a => exact ? Gelu(a) : GeluTanh(a)).ToArray())], transposed: true));
        }

        return LayerNorm(prefix + "ln_f", x);
    }

    private static double GeluTanh(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));

    // x Φ(x) with Φ(x) = 1/2 + φ(x) (x + x³/3 + x⁵/15 + …)
    private static double Gelu(double x)
    {
        if (Math.Abs(x) > 9)
        {
            return Math.Max(x, 0);
        }

        double term = x, sum = x;
        for (int k = 3; Math.Abs(term) > 1e-18 * Math.Abs(sum); k += 2)
        {
            term *= x * x / k;
            sum += term;
        }

        return x * (0.5 + (Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI) * sum));
    }

    private static double[][] Attend(double[][] q, double[][] k, double[][] v, int heads, int keys, double scale, int window)
    {
        int size = q[0].Length / heads;
        double[][] mixed = [.. q.Select(_ => new double[heads * size])];
        for (int t = 0; t < q.Length; t++)
        {
            for (int head = 0; head < heads; head++)
            {
                int own = head * size, shared = head / (heads / keys) * size, first = window > t ? 0 : t - window + 1;
                double[] weights = [.. Enumerable.Range(first, t - first + 1).Select(s => Math.Exp(scale * Enumerable.Range(0, size).Sum(d => q[t][own + d] * k[s][shared + d])))];
                double sum = weights.Sum();
                for (int s = first; s <= t; s++)
                {
                    for (int d = 0; d < size; d++)
                    {
                        mixed[t][own + d] += weights[s - first] / sum * v[s][shared + d];
                    }
                }
            }
        }

        return mixed;
    }

    private static double[][] Turn(double[][] x, int size, double[] frequencies)
    {
        for (int t = 0; t < x.Length; t++)
        {
            for (int i = 0; i < x[t].Length; i++)
            {
                int d = i % size;
                if (d < size / 2)
                {
                    (double sine, double cosine) = Math.SinCos(t * frequencies[d]);
                    (double a, double b) = (x[t][i], x[t][i + (size / 2)]);
                    (x[t][i], x[t][i + (size / 2)]) = ((a * cosine) - (b * sine), (b * cosine) + (a * sine));
                }
            }
        }

        return x;
    }

    private double[] Frequencies(int size)
    {
        double[] plain = [.. Enumerable.Range(0, size / 2).Select(i => Math.Pow(Real("rope_theta", 10000), -2.0 * i / size))];
        if (config["rope_scaling"] is not { } scaling)
        {
            return plain;
        }

        double factor = (double)scaling["factor"]!;
        if ((string?)(scaling["rope_type"] ?? scaling["type"]) == "linear")
        {
            return [.. plain.Select(f => f / factor)];
        }

        double context = (double)scaling["original_max_position_embeddings"]!, low = (double)scaling["low_freq_factor"]!, high = (double)scaling["high_freq_factor"]!;
        return [.. plain.Select(f =>
        {
            double part = Math.Clamp(((context * f / (2 * Math.PI)) - low) / (high - low), 0, 1);
            return (part * f) + ((1 - part) * f / factor);
        })];
    }

    private double[] RmsNorm(double[] x, string name, double epsilon)
    {
        double scale = 1 / Math.Sqrt((x.Sum(v => v * v) / x.Length) + epsilon);
        return [.. x.Zip(Tensors[name + ".weight"], (v, w) => v * scale * w)];
    }

    private double[][] LayerNorm(string name, double[][] x) => [.. x.Select(row =>
    {
        double mean = row.Average(), scale = 1 / Math.Sqrt(row.Average(v => (v - mean) * (v - mean)) + 1e-5);
        return row.Select((v, i) => ((v - mean) * scale * Tensors[name + ".weight"][i]) + Tensors[name + ".bias"][i]).ToArray();
    })];

    private double[][] Linear(string name, double[][] x, bool transposed = false) => [.. x.Select(row =>
    {
        double[] y = Multiply(Tensors[name + ".weight"], row, transposed);
        return Tensors.TryGetValue(name + ".bias", out double[]? bias) ? [.. y.Zip(bias, (a, b) => a + b)] : y;
    })];

    private static double[] Multiply(double[] weights, double[] x, bool transposed = false)
    {
        double[] y = new double[weights.Length / x.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            (int outer, int inner) = transposed ? (i % y.Length, i / y.Length) : (i / x.Length, i % x.Length);
            y[outer] += weights[i] * x[inner];
        }

        return y;
    }

    private double[][] Embed(string name, int[] rows, int width) => [.. rows.Select(row => Tensors[prefix + name].AsSpan(row * width, width).ToArray())];

    private static double[][] Part(double[][] x, int start, int count) => [.. x.Select(row => row[start..(start + count)])];

    private static double[][] Add(double[][] a, double[][] b) => [.. a.Zip(b, (u, v) => u.Zip(v, (s, t) => s + t).ToArray())];

    private int Int(string key, int absent = 0) => config[key] is { } node ? (int)node : absent;

    private double Real(string key, double absent) => config[key] is { } node ? (double)node : absent;

    private bool Flag(string key, bool absent) => config[key] is { } node ? (bool)node : absent;
}
