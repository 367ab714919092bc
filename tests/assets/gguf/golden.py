# Writes the files of this folder with numpy, and prints a digest of ../stories260K/stories260K_q8.bin: python3 golden.py
# Blocks hold random bytes, with sensible scales; what they mean is computed here from the description of each type, with whole arrays.
import hashlib, json, struct
import numpy as np

random = np.random.default_rng(5)
f32 = np.float32


def half(n, top):
    return (random.uniform(-top, top, n)).astype(np.float16)


def q8_0(n):
    d, q = half(n, 0.1), random.integers(-128, 128, (n, 32)).astype(np.int8)
    raw = b"".join(d[i].tobytes() + q[i].tobytes() for i in range(n))
    return raw, d.astype(f32)[:, None] * q.astype(f32)


def q4_0(n):
    d, codes = half(n, 0.5), random.integers(0, 16, (n, 32))
    packed = (codes[:, :16] | codes[:, 16:] << 4).astype(np.uint8)
    return b"".join(d[i].tobytes() + packed[i].tobytes() for i in range(n)), d.astype(f32)[:, None] * (codes - 8).astype(f32)


def q4_k(n):
    d, dmin = half(n, 0.01), half(n, 0.01)
    scales, mins, codes = random.integers(0, 64, (n, 8)), random.integers(0, 64, (n, 8)), random.integers(0, 16, (n, 8, 32))
    table = np.zeros((n, 12), np.int64)
    table[:, 0:4] = scales[:, :4] | (scales[:, 4:] >> 4) << 6
    table[:, 4:8] = mins[:, :4] | (mins[:, 4:] >> 4) << 6
    table[:, 8:12] = (scales[:, 4:] & 15) | (mins[:, 4:] & 15) << 4
    packed = (codes[:, 0::2] | codes[:, 1::2] << 4).astype(np.uint8)
    raw = b"".join(d[i].tobytes() + dmin[i].tobytes() + table[i].astype(np.uint8).tobytes() + packed[i].tobytes() for i in range(n))
    step, least = d.astype(f32)[:, None] * scales.astype(f32), dmin.astype(f32)[:, None] * mins.astype(f32)
    return raw, (step[:, :, None] * codes.astype(f32) - least[:, :, None]).reshape(n, 256)


def q6_k(n):
    d, scales, codes = half(n, 0.01), random.integers(-128, 128, (n, 16)).astype(np.int8), random.integers(0, 64, (n, 256))
    parts = codes.reshape(n, 2, 4, 32)  # halves of 128, quarters of 32
    low = np.concatenate([(parts[:, :, 0:2] & 15) | (parts[:, :, 2:4] & 15) << 4], 2).astype(np.uint8).reshape(n, 128)
    high = sum((parts[:, :, k] >> 4) << (2 * k) for k in range(4)).astype(np.uint8).reshape(n, 64)
    raw = b"".join(low[i].tobytes() + high[i].tobytes() + scales[i].tobytes() + d[i].tobytes() for i in range(n))
    step = d.astype(f32)[:, None] * scales.astype(f32)
    return raw, np.repeat(step, 16, 1) * (codes - 32).astype(f32)


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def write(path, architecture, tensors):
    keys = [text("general.architecture") + struct.pack("<I", 8) + text(architecture)]
    keys += [text(architecture + ".attention.head_count") + struct.pack("<II", 4, 4), text(architecture + ".attention.head_count_kv") + struct.pack("<II", 4, 2)]
    keys += [text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b")]
    keys += [text("nested") + struct.pack("<IIQ", 9, 9, 1) + struct.pack("<IQhh", 3, 2, 1, -1), text("temperature") + struct.pack("<If", 6, 0.5)]
    infos, data = b"", b""
    for name, (shape, kind, raw) in tensors.items():
        data += bytes(-len(data) % 32)
        infos += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", side) for side in reversed(shape)) + struct.pack("<IQ", kind, len(data))
        data += raw
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys) + infos
    open(path, "wb").write(head + bytes(-len(head) % 32) + data)


def write_expected(path, tensors):
    header, data = {}, b""
    for name, (kind, array) in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    head = json.dumps(header).encode()
    open(path, "wb").write(struct.pack("<Q", len(head)) + head + data)


def in_halves(array, heads):  # as Hugging Face's conversion script permutes the original weights
    rows = array.shape[0]
    return array.reshape(heads, rows // heads // 2, 2, -1).swapaxes(1, 2).reshape(array.shape)


plain = random.standard_normal((3, 4)).astype(f32)
tensors, expected = {}, {}
for name, kind, make, rows, width in (("q8", 8, q8_0, 3, 64), ("q4", 2, q4_0, 3, 64), ("q4k", 12, q4_k, 2, 512), ("q6k", 14, q6_k, 2, 512)):
    raw, values = make(rows * width // (256 if kind > 10 else 32))
    tensors[name], expected[name] = ((rows, width), kind, raw), ("F32", values.reshape(rows, width))
for name, kind, dtype, array in (
        ("f32", 0, "F32", plain), ("f16", 1, "F16", plain.astype(np.float16)), ("bf16", 30, "BF16", (plain.view(np.uint32) >> 16).astype(np.uint16)),
        ("i8", 24, "I8", np.arange(5, dtype=np.int8)), ("i64", 27, "I64", np.arange(2))):
    tensors[name], expected[name] = (array.shape, kind, array.tobytes()), (dtype, array)
write("types.gguf", "other", tensors)
write_expected("types.safetensors", expected)

tensors, expected = {}, {}
for name, mine, kind, make, rows, width, heads in (
        ("blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight", 12, q4_k, 16, 256, 4),
        ("blk.10.attn_k.weight", "model.layers.10.self_attn.k_proj.weight", 8, q8_0, 16, 32, 2),
        ("blk.0.attn_v.weight", "model.layers.0.self_attn.v_proj.weight", 8, q8_0, 16, 32, 0)):
    raw, values = make(rows * width // (256 if kind > 10 else 32))
    values = values.reshape(rows, width)
    tensors[name], expected[mine] = ((rows, width), kind, raw), ("F32", in_halves(values, heads) if heads else values)
bias = random.standard_normal(16).astype(f32)
tensors["blk.0.attn_q.bias"], expected["model.layers.0.self_attn.q_proj.bias"] = ((16,), 0, bias.tobytes()), ("F32", in_halves(bias, 4))
tensors["rope_freqs.weight"], expected["rope_freqs.weight"] = ((16,), 0, bias.tobytes()), ("F32", bias)
write("llama.gguf", "llama", tensors)
write_expected("llama.safetensors", expected)

data = open("../stories260K/stories260K_q8.bin", "rb").read()
dim, hidden, layers, heads, kv, vocabulary, positions = struct.unpack_from("<7i", data, 8)
shared, group, at, stories = data[36], struct.unpack_from("<i", data, 37)[0], 256, {}


def take(name, rows, columns, permuted=0):
    global at
    n = rows * columns
    q, s = np.frombuffer(data, np.int8, n, at), np.frombuffer(data, f32, n // group, at + n)
    at += n + n // group * 4
    values = (q.astype(f32).reshape(-1, group) * s[:, None]).reshape(rows, columns)
    stories[name] = in_halves(values, permuted) if permuted else values


def vector(name):
    global at
    stories[name] = np.frombuffer(data, f32, dim, at)
    at += dim * 4


each = lambda part, take: [take(f"model.layers.{i}.{part}.weight") for i in range(layers)]
each("input_layernorm", vector)
each("post_attention_layernorm", vector)
vector("model.norm.weight")
take("model.embed_tokens.weight", vocabulary, dim)
each("self_attn.q_proj", lambda name: take(name, dim, dim, heads))
each("self_attn.k_proj", lambda name: take(name, dim // heads * kv, dim, kv))
each("self_attn.v_proj", lambda name: take(name, dim // heads * kv, dim))
each("self_attn.o_proj", lambda name: take(name, dim, dim))
each("mlp.gate_proj", lambda name: take(name, hidden, dim))
each("mlp.down_proj", lambda name: take(name, dim, hidden))
each("mlp.up_proj", lambda name: take(name, hidden, dim))
assert at == len(data) and shared
digest = hashlib.sha256()
for name in sorted(stories):
    digest.update(name.encode() + np.ascontiguousarray(stories[name]).tobytes())
print("stories260K_q8.bin, groups of", group, digest.hexdigest())
