"""The forward and backward pass of a Llama in PyTorch, as a peer for `bench forward` and `bench backward`.

Started with a model's folder, a number of tokens, one of threads, and `forward` or `backward`: cross-entropy and its gradients of all weights too. Then, for
each line on standard input, runs once and answers the seconds that it took. The first line that it writes describes it, in JSON; `sample` holds
the logits after the last token, or the gradient of the first norm.
"""
import json
import struct
import sys
import time

import torch
import torch.nn.functional as F

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(data, dtype=DTYPES[t["dtype"]], offset=t["data_offsets"][0], count=max(1, torch.Size(t["shape"]).numel()))
        .reshape(t["shape"]).float().clone()
        for name, t in header.items()
    }


class Llama:
    def __init__(self, folder, tokens):
        self.config = c = json.load(open(folder + "/config.json", encoding="utf-8"))
        self.weights = read(folder + "/model.safetensors")
        self.heads, self.keys = c["num_attention_heads"], c.get("num_key_value_heads", c["num_attention_heads"])
        self.size = c.get("head_dim") or c["hidden_size"] // self.heads
        frequencies = c.get("rope_theta", 10000.0) ** (-torch.arange(0, self.size, 2).float() / self.size)
        angles = torch.arange(tokens).float()[:, None] * frequencies
        self.cos, self.sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
        self.mask = torch.full((tokens, tokens), float("-inf")).triu(1)

    def norm(self, x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.config["rms_norm_eps"]) * self.weights[name]

    def turn(self, x):
        low, high = x.chunk(2, -1)
        return x * self.cos + torch.cat([-high, low], -1) * self.sin

    def split(self, x, count):
        return x.view(x.shape[0], count, self.size).transpose(0, 1)

    def forward(self, ids):
        w = self.weights
        x = F.embedding(ids, w["model.embed_tokens.weight"])
        for i in range(self.config["num_hidden_layers"]):
            layer = f"model.layers.{i}."
            h = self.norm(x, layer + "input_layernorm.weight")
            q = self.turn(self.split(F.linear(h, w[layer + "self_attn.q_proj.weight"]), self.heads))
            k = self.turn(self.split(F.linear(h, w[layer + "self_attn.k_proj.weight"]), self.keys))
            v = self.split(F.linear(h, w[layer + "self_attn.v_proj.weight"]), self.keys)
            k, v = (t.repeat_interleave(self.heads // self.keys, 0) for t in (k, v))
            weights = torch.softmax(torch.baddbmm(self.mask, q, k.transpose(1, 2), alpha=self.size ** -0.5), -1)
            mixed = torch.bmm(weights, v).transpose(0, 1).reshape(x.shape[0], -1)
            x = x + F.linear(mixed, w[layer + "self_attn.o_proj.weight"])
            h = self.norm(x, layer + "post_attention_layernorm.weight")
            h = F.silu(F.linear(h, w[layer + "mlp.gate_proj.weight"])) * F.linear(h, w[layer + "mlp.up_proj.weight"])
            x = x + F.linear(h, w[layer + "mlp.down_proj.weight"])
        head = "model.embed_tokens.weight" if self.config.get("tie_word_embeddings") else "lm_head.weight"
        return F.linear(self.norm(x, "model.norm.weight"), w[head])


def blas():
    files = {line.split()[-1] for line in open("/proc/self/maps", encoding="utf-8") if "blas" in line.rsplit("/", 1)[-1]}
    return ", ".join(sorted(files)) or "its own"


def main():
    folder, tokens, threads, backward = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "backward"
    torch.set_num_threads(threads)
    model = Llama(folder, tokens)
    ids = torch.arange(tokens) * 7 % model.config["vocab_size"]

    @torch.inference_mode()
    def forward():
        return model.forward(ids)[-1]

    def differentiate():
        for weight in model.weights.values():
            weight.grad = None
            weight.requires_grad_()
        F.cross_entropy(model.forward(ids)[:-1], ids[1:], reduction="sum").backward()
        return model.weights["model.layers.0.input_layernorm.weight"].grad

    run = differentiate if backward else forward
    print(json.dumps({"torch": torch.__version__, "blas": blas(), "sample": run().tolist()}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        print(time.perf_counter() - start, flush=True)


main()
