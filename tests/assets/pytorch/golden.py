# Writes the files of this folder with PyTorch 1.13 (any later version gives the same tensors): python3 golden.py
# Every file holds the tensors of expected.safetensors, in the dictionary or in dictionaries inside it; small holds two others, and those that are refused hold what they are named for.
import collections, json, struct, torch

torch.manual_seed(1)
base = torch.randn(6, 8)
shared = torch.arange(40, dtype=torch.float32)
tensors = collections.OrderedDict(
    whole=base,
    transposed=base.t(),
    columns=base[:, 2:7:2],
    tail=base[3:],
    permuted=torch.arange(24, dtype=torch.float32).reshape(2, 3, 4).permute(2, 0, 1),
    expanded=torch.tensor([1.5, -2.5]).expand(3, 2),
    every_third=shared[1::3],
    same_storage=shared[5:9].reshape(2, 2),
    scalar=torch.tensor(3.25),
    empty=torch.empty(0, 4),
    double=torch.randn(3, dtype=torch.float64),
    half=torch.randn(2, 3).half().t(),
    bfloat16=torch.randn(2, 3).bfloat16(),
    int64=torch.tensor([2**40, -1]),
    int32=torch.tensor([[7], [-8]], dtype=torch.int32),
    int16=torch.tensor([300, -300], dtype=torch.int16),
    int8=torch.tensor([-128, 127], dtype=torch.int8),
    uint8=torch.tensor([0, 255], dtype=torch.uint8),
    bool=torch.tensor([True, False, True]),
    parameter=torch.nn.Parameter(torch.randn(2, 2)),
)
tensors["gewicht.ß"] = torch.ones(1)

names = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.int32: "I32",
         torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}
header, data = {}, b""
for name, tensor in tensors.items():
    flat = tensor.detach().contiguous()
    raw = (flat.view(torch.int16) if tensor.dtype == torch.bfloat16 else flat).numpy().tobytes()
    header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header).encode()
open("expected.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data)

module = torch.nn.Linear(2, 2)
optimizer = torch.optim.Adam(module.parameters())
module(torch.ones(2)).sum().backward()
optimizer.step()
training = {"epoch": 3, "loss": 0.25, "best": torch.tensor(1.0), "optimizer": optimizer.state_dict(), "args": {"lr": [1e-3, None, (1, "x")]}, "big": 2**70}

for suffix, zipped in ((".pt", True), (".legacy.pt", False)):
    save = lambda value, name: torch.save(value, name + suffix, _use_new_zipfile_serialization=zipped)
    save(tensors, "plain")
    save({"a": base[:2, :3], "b": torch.tensor([True])}, "small")
    save({**training, "state_dict": tensors}, "state_dict")
    save({**training, "net": {"ema": tensors}}, "nested")
    save({"generator": {"w": base}, "critic": {"w": base}}, "two")
    save({"encoder": tensors, "decoder": {"w": base}}, "pair")
    save(module, "module")
    save(torch.zeros(2), "tensor")
    save([torch.zeros(2)], "list")
    save({"a": torch.zeros(2, dtype=torch.complex64)}, "complex")
    save({"a": torch.eye(3).to_sparse()}, "sparse")
torch.jit.script(module).save("script.pt")
