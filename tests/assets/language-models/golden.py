#!/usr/bin/env python3
"""Small language models with random weights, their logits and gradients, for the tests of src/Core/LanguageModels.

    python3 tests/assets/language-models/golden.py

Written from the papers and the formats' definitions with PyTorch's own primitives, in float64 from the stored weights; no code is shared
with the project, and none is taken from the transformers package. Each folder gets config.json and model.safetensors as Hugging Face lays
them out, and golden.safetensors with `tokens` (I32), `logits` (F32, [tokens, vocabulary]), the `loss` of predicting each token from those before it (F32, the sum
of their cross-entropies in nats), and for each tensor `gradient.<name>`: every seventh value of the loss's gradient (F32). Needs python3-torch; any version will do.
"""
import json
import math
import os
import struct

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
EVERY = 7  # no width, nor number of rows, is a multiple of it
TOKENS = 37  # more than one tile of every vector width, and no multiple of any
TYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int32: "I32"}


def write(path, tensors):
    header, data = {}, b""
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        raw = tensor.view(torch.int16).numpy().tobytes() if tensor.dtype == torch.bfloat16 else tensor.numpy().tobytes()
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


class Weights:
    """Draws a tensor when it is first asked for, rounds it to the stored type, and computes with what is stored."""

    def __init__(self, seed, dtype):
        self.generator = torch.Generator().manual_seed(seed)
        self.dtype = dtype
        self.stored = {}
        self.leaves = {}

    def __call__(self, name, *shape, center=0.0, spread=None):
        if name not in self.stored:
            spread = 1.5 / math.sqrt(shape[-1]) if spread is None else spread
            values = torch.randn(*shape, generator=self.generator, dtype=torch.float64) * spread + center
            self.stored[name] = values.to(self.dtype)
            self.leaves[name] = self.stored[name].double().requires_grad_()
        assert self.stored[name].shape == shape
        return self.leaves[name]

    def linear(self, name, x, outputs, bias):
        y = x @ self(name + ".weight", outputs, x.shape[-1]).T
        return y + self(name + ".bias", outputs, spread=0.3) if bias else y

    def layer_norm(self, name, x):
        width = x.shape[-1]
        return F.layer_norm(x, (width,), self(name + ".weight", width, center=1, spread=0.3), self(name + ".bias", width, spread=0.3), 1e-5)

    def rms_norm(self, name, x, epsilon):
        return x / torch.sqrt((x * x).mean(-1, keepdim=True) + epsilon) * self(name + ".weight", x.shape[-1], center=1, spread=0.3)


def attention(q, k, v, scale, window=None):
    """q: [heads, tokens, size]; k, v: [key/value heads, tokens, size]."""
    groups = q.shape[0] // k.shape[0]
    k, v = k.repeat_interleave(groups, 0), v.repeat_interleave(groups, 0)
    position = torch.arange(q.shape[1])
    distance = position[:, None] - position[None, :]
    seen = (distance >= 0) & (distance < window) if window else distance >= 0
    scores = (q @ k.transpose(1, 2) * scale).masked_fill(~seen, -math.inf)
    mixed = torch.softmax(scores, -1) @ v
    return mixed.transpose(0, 1).reshape(q.shape[1], -1)


def heads(x, count):
    return x.view(x.shape[0], count, -1).transpose(0, 1)


def rotate(x, frequencies):
    """Turns (x[i], x[i + size/2]) as complex numbers."""
    half = x.shape[-1] // 2
    angles = torch.arange(x.shape[1], dtype=torch.float64)[:, None] * frequencies
    turned = torch.complex(x[..., :half].contiguous(), x[..., half:].contiguous()) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([turned.real, turned.imag], -1)


def rotary_frequencies(config, size):
    frequencies = config.get("rope_theta", 10000.0) ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    scaling = config.get("rope_scaling")
    if not scaling:
        return frequencies
    kind = scaling.get("rope_type", scaling.get("type"))
    if kind == "linear":
        return frequencies / scaling["factor"]
    assert kind == "llama3"
    result = []
    for frequency in frequencies.tolist():
        wavelength = 2 * math.pi / frequency
        context, low, high = scaling["original_max_position_embeddings"], scaling["low_freq_factor"], scaling["high_freq_factor"]
        if wavelength < context / high:
            result.append(frequency)
        elif wavelength > context / low:
            result.append(frequency / scaling["factor"])
        else:
            smooth = (context / wavelength - low) / (high - low)
            result.append((1 - smooth) * frequency / scaling["factor"] + smooth * frequency)
    return torch.tensor(result, dtype=torch.float64)


def llama(config, weights, tokens, prefix="model."):
    name = config["architectures"][0]
    width, inner, count = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    keys = config.get("num_key_value_heads", count)
    size = config.get("head_dim") or width // count
    epsilon = config["rms_norm_eps"]
    qkv_bias = name == "Qwen2ForCausalLM" or config.get("attention_bias", False)
    frequencies = rotary_frequencies(config, size)
    embedding = weights(prefix + "embed_tokens.weight", config["vocab_size"], width, spread=1)
    x = embedding[tokens]
    for i in range(config["num_hidden_layers"]):
        layer = f"{prefix}layers.{i}."
        window = config.get("sliding_window") if name == "MistralForCausalLM" else None
        if name == "Qwen2ForCausalLM" and config.get("use_sliding_window") and i >= config["max_window_layers"]:
            window = config["sliding_window"]
        h = weights.rms_norm(layer + "input_layernorm", x, epsilon)
        q = heads(weights.linear(layer + "self_attn.q_proj", h, count * size, qkv_bias), count)
        k = heads(weights.linear(layer + "self_attn.k_proj", h, keys * size, qkv_bias), keys)
        v = heads(weights.linear(layer + "self_attn.v_proj", h, keys * size, qkv_bias), keys)
        mixed = attention(rotate(q, frequencies), rotate(k, frequencies), v, size ** -0.5, window)
        x = x + weights.linear(layer + "self_attn.o_proj", mixed, width, config.get("attention_bias", False))
        h = weights.rms_norm(layer + "post_attention_layernorm", x, epsilon)
        bias = config.get("mlp_bias", False)
        gate = F.silu(weights.linear(layer + "mlp.gate_proj", h, inner, bias))
        x = x + weights.linear(layer + "mlp.down_proj", gate * weights.linear(layer + "mlp.up_proj", h, inner, bias), width, bias)
    x = weights.rms_norm(prefix + "norm", x, epsilon)
    return x @ (embedding if config.get("tie_word_embeddings") else weights("lm_head.weight", config["vocab_size"], width)).T


def opt(config, weights, tokens, prefix="model.decoder."):
    width, count, vocabulary = config["hidden_size"], config["num_attention_heads"], config["vocab_size"]
    embedding_width = config.get("word_embed_proj_dim", width)
    before = config.get("do_layer_norm_before", True)
    embedding = weights(prefix + "embed_tokens.weight", vocabulary, embedding_width, spread=1)
    positions = weights(prefix + "embed_positions.weight", config["max_position_embeddings"] + 2, width, spread=0.5)
    x = embedding[tokens]
    if embedding_width != width:
        x = weights.linear(prefix + "project_in", x, width, False)
    x = x + positions[2:2 + len(tokens)]
    for i in range(config["num_hidden_layers"]):
        layer = f"{prefix}layers.{i}."
        h = weights.layer_norm(layer + "self_attn_layer_norm", x) if before else x
        q, k, v = (heads(weights.linear(f"{layer}self_attn.{p}_proj", h, width, True), count) for p in "qkv")
        x = x + weights.linear(layer + "self_attn.out_proj", attention(q, k, v, (width // count) ** -0.5), width, True)
        if not before:
            x = weights.layer_norm(layer + "self_attn_layer_norm", x)
        h = weights.layer_norm(layer + "final_layer_norm", x) if before else x
        x = x + weights.linear(layer + "fc2", F.relu(weights.linear(layer + "fc1", h, config["ffn_dim"], True)), width, True)
        if not before:
            x = weights.layer_norm(layer + "final_layer_norm", x)
    if before:
        x = weights.layer_norm(prefix + "final_layer_norm", x)
    if embedding_width != width:
        x = weights.linear(prefix + "project_out", x, embedding_width, False)
    return x @ (embedding if config.get("tie_word_embeddings", True) else weights("lm_head.weight", vocabulary, embedding_width)).T


def gpt2(config, weights, tokens, prefix="transformer."):
    width, count, vocabulary = config["n_embd"], config["n_head"], config["vocab_size"]
    inner = config.get("n_inner") or 4 * width

    def conv1d(name, x, outputs):
        return x @ weights(name + ".weight", x.shape[-1], outputs, spread=1.5 / math.sqrt(x.shape[-1])) + weights(name + ".bias", outputs, spread=0.3)

    embedding = weights(prefix + "wte.weight", vocabulary, width, spread=1)
    x = embedding[tokens] + weights(prefix + "wpe.weight", config["n_positions"], width, spread=0.5)[:len(tokens)]
    for i in range(config["n_layer"]):
        layer = f"{prefix}h.{i}."
        q, k, v = (heads(part, count) for part in conv1d(layer + "attn.c_attn", weights.layer_norm(layer + "ln_1", x), 3 * width).split(width, -1))
        scale = (width // count) ** -0.5 if config.get("scale_attn_weights", True) else 1.0
        if config.get("scale_attn_by_inverse_layer_idx"):
            scale /= i + 1
        x = x + conv1d(layer + "attn.c_proj", attention(q, k, v, scale), width)
        h = F.gelu(conv1d(layer + "mlp.c_fc", weights.layer_norm(layer + "ln_2", x), inner),
                   approximate="none" if config.get("activation_function") == "gelu" else "tanh")
        x = x + conv1d(layer + "mlp.c_proj", h, width)
    x = weights.layer_norm(prefix + "ln_f", x)
    return x @ (embedding if config.get("tie_word_embeddings", True) else weights("lm_head.weight", vocabulary, width)).T


def make(folder, forward, config, dtype=torch.float32, extra=None, **options):
    path = os.path.join(HERE, folder)
    os.makedirs(path, exist_ok=True)
    seed = sum(folder.encode())
    weights = Weights(seed, dtype)
    tokens = torch.randint(config["vocab_size"], (TOKENS,), generator=torch.Generator().manual_seed(seed + 1))
    logits = forward(config, weights, tokens, **options)
    assert logits.shape == (TOKENS, config["vocab_size"]) and bool(torch.isfinite(logits).all())
    write(os.path.join(path, "model.safetensors"), {**weights.stored, **(extra or {})})
    loss = F.cross_entropy(logits[:-1], tokens[1:], reduction="sum")
    loss.backward()
    gradients = {f"gradient.{name}": leaf.grad.flatten()[::EVERY].float() for name, leaf in weights.leaves.items()}
    logits = logits.detach()
    write(os.path.join(path, "golden.safetensors"), {"tokens": tokens.to(torch.int32), "logits": logits.float(), "loss": loss.detach().float()[None], **gradients})
    with open(os.path.join(path, "config.json"), "w", encoding="utf-8", newline="\n") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    print(f"{folder:12} {sum(t.numel() for t in weights.stored.values()):6} parameters, logits of spread {logits.std():.3f}")


def main():
    llama_like = {
        "architectures": ["LlamaForCausalLM"], "hidden_size": 30, "intermediate_size": 43, "num_hidden_layers": 2, "num_attention_heads": 6,
        "num_key_value_heads": 2, "head_dim": 10, "vocab_size": 61, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 500.0,
        "hidden_act": "silu", "tie_word_embeddings": True, "rope_scaling": None, "attention_bias": False, "mlp_bias": False,
    }
    make("llama", llama, llama_like)
    make("llama-bias", llama, {
        **llama_like, "num_attention_heads": 5, "num_key_value_heads": 5, "head_dim": None, "tie_word_embeddings": False, "attention_bias": True, "mlp_bias": True,
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16},
    })
    make("llama-linear", llama, {**llama_like, "rope_scaling": {"type": "linear", "factor": 4.0}}, dtype=torch.float16, prefix="")
    make("mistral", llama, {**llama_like, "architectures": ["MistralForCausalLM"], "sliding_window": 7, "tie_word_embeddings": False}, dtype=torch.bfloat16)
    make("qwen2", llama, {
        **llama_like, "architectures": ["Qwen2ForCausalLM"], "num_key_value_heads": 1, "num_hidden_layers": 3, "sliding_window": 5, "use_sliding_window": True,
        "max_window_layers": 2,
    }, dtype=torch.bfloat16)
    opt_like = {
        "architectures": ["OPTForCausalLM"], "hidden_size": 36, "ffn_dim": 50, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 61,
        "max_position_embeddings": 40, "word_embed_proj_dim": 36, "activation_function": "relu", "do_layer_norm_before": True,
    }
    make("opt", opt, opt_like)
    make("opt-post", opt, {**opt_like, "do_layer_norm_before": False, "word_embed_proj_dim": 22, "tie_word_embeddings": False}, dtype=torch.float16, prefix="decoder.")
    gpt2_like = {
        "architectures": ["GPT2LMHeadModel"], "n_embd": 36, "n_layer": 2, "n_head": 3, "n_positions": 40, "n_inner": None, "vocab_size": 61,
        "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
    }
    make("gpt2", gpt2, gpt2_like)
    make("gpt2-old", gpt2, {
        **gpt2_like, "n_inner": 50, "activation_function": "gelu", "scale_attn_by_inverse_layer_idx": True,
    }, prefix="", extra={f"h.{i}.attn.bias": torch.ones(1, 1, 4, 4) for i in range(2)})


if __name__ == "__main__":
    main()
