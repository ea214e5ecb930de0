"""FaceNet's file: a small network by hand, and whatever else is no network."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_inference.tensorflow_graph import TensorFlowFileError, convert


def field(number: int, value: bytes | int) -> bytes:
    def varint(n: int) -> bytes:
        out = bytearray()
        while n > 127:
            out.append(n & 127 | 128)
            n >>= 7
        return bytes([*out, n])

    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def node(name: str, kind: str, *inputs: str, **attributes: bytes) -> bytes:
    parts = field(1, name.encode()) + field(2, kind.encode()) + b"".join(field(3, i.encode()) for i in inputs)
    for key, value in attributes.items():
        parts += field(5, field(1, key.encode()) + field(2, value))
    return field(1, parts)


def constant(name: str, value: np.ndarray) -> bytes:
    shape = b"".join(field(2, field(1, size)) for size in value.shape)
    tensor = field(1, 1) + field(2, shape) + field(4, value.astype("<f4").tobytes())
    return node(name, "Const", value=field(8, tensor))


def network(weights: np.ndarray, matrix: np.ndarray) -> bytes:
    strides = field(1, field(3, bytes([1, 40, 40, 1])))
    return (
        constant("w", weights)
        + constant("m", matrix)
        # in no order: the file of FaceNet has none either
        + node("out", "MatMul", "a/Flatten/flatten/Reshape", "m")
        + node("relu", "Relu", "conv")
        + node("a/Flatten/flatten/Reshape", "Reshape", "relu", "m")
        + node("conv", "Conv2D", "input:0", "w", strides=strides, padding=field(2, b"VALID"))
        + node("input", "Placeholder")
    )


def test_a_network_gives_what_its_layers_say(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    weights, matrix = random.standard_normal((1, 1, 3, 2)), random.standard_normal((2 * 16, 5))
    path = tmp_path / "graph.pb"
    path.write_bytes(network(weights, matrix))
    session = onnxruntime.InferenceSession(convert(path), providers=["CPUExecutionProvider"])
    pictures = random.uniform(0, 255, (2, 3, 160, 160)).astype(np.float32)
    found = session.run(None, {"input": pictures})[0]
    centered = pictures - pictures.mean((1, 2, 3), keepdims=True)
    whitened = centered / centered.std((1, 2, 3), keepdims=True)
    maps = np.maximum(np.einsum("nchw,cf->nfhw", whitened[:, :, ::40, ::40], weights[0, 0]), 0)
    assert np.allclose(found, maps.reshape(2, -1) @ matrix, atol=1e-3)


def test_another_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    good = network(np.zeros((1, 1, 3, 2)), np.zeros((32, 5)))
    for data in (b"", b"PK\x03\x04", good[:-9], good + node("x", "Exit", "out"), good + node("y", "Relu", "y")):
        path.write_bytes(data)
        with pytest.raises(TensorFlowFileError):
            convert(path)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 600), st.binary(min_size=1, max_size=4))
def test_damage_is_one_line_or_harmless(at: int, damage: bytes) -> None:
    good = network(np.zeros((1, 1, 3, 2)), np.zeros((32, 5)))
    with tempfile.NamedTemporaryFile(suffix=".pb") as file:
        file.write(good[:at] + damage + good[at + len(damage) :])
        file.flush()
        with contextlib.suppress(TensorFlowFileError):
            convert(Path(file.name))
