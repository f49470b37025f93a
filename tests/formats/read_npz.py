"""Opens a .npz model with NumPy, and writes one of its own.

usage: read_npz.py MODEL.npz MODEL.safetensors PLAIN.npz
Both models are the same, which is checked bit for bit; PLAIN.npz gets the layers alone.
"""

import json
import sys

import numpy


def read_safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    metadata = header.pop("__metadata__")
    arrays = {}
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        dtype = {"F32": "<f4", "F64": "<f8"}[tensor["dtype"]]
        data = content[8 + size + begin : 8 + size + end]
        arrays[name] = numpy.frombuffer(data, dtype).reshape(tensor["shape"])
    return arrays, metadata


def main():
    npz, safetensors, plain = sys.argv[1:]
    layers, metadata = read_safetensors(safetensors)
    expected = dict(layers)
    for name, key in (("mean", "standardization_mean"), ("std", "standardization_deviation")):
        if key in metadata:
            expected[name] = numpy.array(json.loads(metadata.pop(key)))
    with numpy.load(npz, allow_pickle=False) as model:
        assert sorted(model.files) == sorted([*expected, "metadata"]), model.files
        assert json.loads(str(model["metadata"])) == metadata
        for name, array in expected.items():
            assert model[name].dtype == array.dtype, name
            assert model[name].shape == array.shape, name
            assert model[name].tobytes() == array.tobytes(), name
    numpy.savez(plain, **layers)


main()
