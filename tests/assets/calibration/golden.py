#!/usr/bin/env python3
"""Statistics of layers' inputs, for the tests of src/Core/Calibration.

    python3 tests/assets/calibration/golden.py

Runs the models of tests/assets/language-models (whose forward passes golden.py there has, in float64) and stories260K on windows of tokens,
and writes second moments and means of the inputs of linear layers, of two models also the covariance of outputs and squared gradients, computed by PyTorch in
float64, in the layout of docs/calibration.md: so the files also show that another program can write it. Beside each file stand the tokens. Needs python3-torch; any version will do.
"""
import gzip
import json
import os
import struct
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
ASSETS = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ASSETS, "language-models"))
import golden  # noqa: E402

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I32": torch.int32}


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    body = data[8 + length:]
    return {
        name: torch.frombuffer(bytearray(body[e["data_offsets"][0]:e["data_offsets"][1]]), dtype=DTYPES[e["dtype"]]).reshape(e["shape"])
        for name, e in header.items()
    }


def write(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name in sorted(tensors):
        raw = tensors[name].contiguous().numpy().tobytes()
        kind = {torch.float64: "F64", torch.float32: "F32"}[tensors[name].dtype]
        header[name] = {"dtype": kind, "shape": list(tensors[name].shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


class Watched(torch.Tensor):
    """Weights that notice what they are multiplied by."""

    inputs, outputs = {}, {}

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        plain = [a.as_subclass(torch.Tensor) if isinstance(a, Watched) else a for a in args]
        result = func(*plain, **(kwargs or {}))
        name = next(a.tensor_name for a in args if isinstance(a, Watched))
        if func.__name__ == "__get__" and isinstance(result, torch.Tensor):
            return watch(name, result)  # .T
        if func in (torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__):
            Watched.inputs.setdefault(name, []).append(plain[0])
            Watched.outputs.setdefault(name, []).append(result)
        return result


def watch(name, tensor):
    watched = tensor.as_subclass(Watched)
    watched.tensor_name = name
    return watched


class Weights(golden.Weights):
    def __init__(self, stored):
        self.stored = stored
        self.leaves = {name: tensor.double().requires_grad_() for name, tensor in stored.items()}

    def __call__(self, name, *shape, center=0.0, spread=None):
        assert self.stored[name].shape == shape, (name, shape)
        return watch(name, self.leaves[name]) if len(shape) > 1 else self.leaves[name]


def gradients(run, weights, windows):
    """Squared gradients of the cross-entropy, per predicted token; of its outputs; and of principal components of the final hidden state."""
    names, arrays = list(Watched.inputs), {}
    hidden = torch.cat(Watched.inputs[names[-1]]).detach()
    centred = hidden - hidden.mean(0)
    components = torch.linalg.eigh(centred.T @ centred / len(hidden)).eigenvectors.flip(1).T
    predicted = sum(len(window) - 1 for window in windows)

    def add(kind, name, value):
        key = f"{name}.{kind}"
        arrays[key] = arrays.get(key, 0) + value

    for window in windows:
        Watched.inputs, Watched.outputs = {}, {}
        logits = run(window)
        loss = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(window[1:]), reduction="sum")
        outputs = [Watched.outputs[name][0] for name in names]
        found = torch.autograd.grad(loss, [weights.leaves[name] for name in names] + outputs)
        for name, weight, output in zip(names, found[:len(names)], found[len(names):]):
            if name != names[-1]:  # the head is an embedding too: its gradient is the sum of both
                add("squaredGradients", name, weight ** 2 / predicted)
            add("outputGradients", name, (output ** 2).sum(0) / predicted)
    passes = [(number, token) for number, window in enumerate(windows) for token in (0, len(window) - 1)]  # windows are no longer than the stride
    for number, token in passes:
        Watched.inputs = {}
        run(windows[number])
        value = Watched.inputs[names[-1]][0][token] @ components[number]
        for name, weight in zip(names[:-1], torch.autograd.grad(value, [weights.leaves[name] for name in names[:-1]])):
            add("hiddenGradients", name, weight ** 2 / len(passes))
    return arrays


def statistics(file, folder, forward, tokens, window, layers=None, dtype=torch.float64, more=False, **options):
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as text:
        config = json.load(text)
    weights = Weights(read(os.path.join(folder, "model.safetensors")))
    Watched.inputs, Watched.outputs = {}, {}
    windows = [tokens[start:start + window] for start in range(0, len(tokens), window)]

    def run(part):
        return forward(config, weights, torch.tensor(part), **options)

    for part in windows:
        run(part)
    arrays, described, seen = {}, {}, {}
    for name, parts in Watched.inputs.items():
        x = torch.cat(parts).detach()
        assert len(x) == len(tokens)
        if layers and name not in layers:
            continue
        first = seen.setdefault(tuple(x[-1].tolist()), name)  # layers with the same input share its arrays
        entry = {} if first == name else {"input": first}
        if forward is golden.gpt2 and not name.endswith("wte.weight"):
            entry["transposed"] = True
        described[name] = entry
        if first == name:
            arrays[name + ".inputSecondMoments"] = (x.T @ x / len(x)).to(dtype)
            arrays[name + ".inputMeans"] = x.mean(0).to(dtype)
        if more:
            y = torch.cat(Watched.outputs[name]).detach()
            y -= y.mean(0)
            arrays[name + ".outputCovariance"] = (y.T @ y / len(y)).to(dtype)
    if more:
        arrays.update({name: value.to(dtype) for name, value in gradients(run, weights, windows).items()})
    metadata = {"version": 1, "tokens": len(tokens), "layers": described}
    write(os.path.join(HERE, file + ".safetensors"), arrays, {"compress.statistics": json.dumps(metadata)})
    with open(os.path.join(HERE, file + ".ids"), "w", encoding="ascii") as text:
        text.write(" ".join(map(str, tokens)) + "\n")
    print(f"{file:12} {len(described):3} layers, {len(seen):3} inputs, {len(tokens)} tokens")


def main():
    for name, forward, options in (
        ("llama", golden.llama, {}), ("gpt2", golden.gpt2, {}), ("opt-post", golden.opt, {"prefix": "decoder."}),
    ):
        tokens = torch.randint(61, (90,), generator=torch.Generator().manual_seed(sum(name.encode()))).tolist()
        statistics(name, os.path.join(ASSETS, "language-models", name), forward, tokens, 32, dtype=torch.float32, more=name != "opt-post", **options)
    with gzip.open(os.path.join(ASSETS, "tokenizers", "stories260K.ids.gz"), "rt") as text:
        tokens = [int(word) for word in text.read().split()][:600]
    layers = ["model.layers.0.self_attn.q_proj.weight", "model.layers.4.self_attn.o_proj.weight", "model.layers.4.mlp.down_proj.weight", "model.embed_tokens.weight"]
    statistics("stories260K", os.path.join(ASSETS, "stories260K"), golden.llama, tokens, 256, layers, torch.float32)


main()
