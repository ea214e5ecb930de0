"""FaceNet's network (Inception-ResNet v1) as an ONNX model, from a frozen TensorFlow graph, without TensorFlow.

A frozen graph (``GraphDef``) is a protocol buffer of nodes with constant weights. Only the dozen operations that this
network has are known. Its channels come last; ONNX's come first, so weights are turned once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_af_common.files import regular

INPUT_SIZE = 160
"""Input is ``N x 3 x 160 x 160``, RGB, 0 to 255; each picture is brought to mean 0 and deviation 1 in the graph."""

_MOST_BYTES = 200_000_000
_FLOAT, _INT32 = 1, 3


class TensorFlowFileError(ValueError):
    """The file is not such a graph; one line that says why."""


@dataclass
class _Node:
    name: str = ""
    kind: str = ""
    inputs: list[str] = field(default_factory=list)
    attributes: dict[str, bytes] = field(default_factory=dict)


def convert(path: str | Path) -> bytes:
    """A serialized ONNX model with one output of N x D, of length one.

    Raises :class:`TensorFlowFileError` when the file is another one or is cut short.
    """
    file = regular(path)
    if file.stat().st_size > _MOST_BYTES:
        raise TensorFlowFileError(f"larger than {_MOST_BYTES:,} bytes")
    try:
        return _Converter(list(_nodes(file.read_bytes()))).serialized()
    except Exception as error:  # whatever a stranger's file makes of the parser, of NumPy and of onnx
        if isinstance(error, TensorFlowFileError):
            raise
        raise TensorFlowFileError(f"not a frozen graph of FaceNet ({type(error).__name__}: {error})") from error


# -- the protocol buffer -----------------------------------------------------------------------------------------------


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise TensorFlowFileError("a damaged protocol buffer")


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers and values: integers, or bytes of what has a length."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size = {1: 8, 5: 4}.get(kind)
        if size is None:
            if kind != 2:
                raise TensorFlowFileError("a damaged protocol buffer")
            size, at = _varint(data, at)
        if at + size > len(data):
            raise TensorFlowFileError("cut short")
        yield key >> 3, data[at : at + size]
        at += size


def _nodes(data: bytes) -> Iterator[_Node]:
    for number, value in _fields(data):
        if number != 1:
            continue
        node = _Node()
        for part, content in _fields(value):
            if part == 1:
                node.name = content.decode()
            elif part == 2:
                node.kind = content.decode()
            elif part == 3:
                node.inputs.append(content.decode().split(":")[0])
            elif part == 5:
                entry = dict(_fields(content))
                node.attributes[entry[1].decode()] = entry[2]
        yield node


def _list_of_ints(attribute: bytes) -> list[int]:
    inner = dict(_fields(dict(_fields(attribute))[1]))[3]
    found, at = [], 0
    while at < len(inner):
        value, at = _varint(inner, at)
        found.append(value)
    return found


def _tensor(attribute: bytes) -> NDArray[Any]:
    """The value of a constant."""
    parts = list(_fields(dict(_fields(attribute))[8]))
    known = dict(parts)
    if known[1] not in (_FLOAT, _INT32):
        raise TensorFlowFileError(f"a constant of type {known[1]}")
    dtype = np.dtype("<f4" if known[1] == _FLOAT else "<i4")
    shape = [dict(_fields(size)).get(1, 0) for number, size in _fields(known.get(2, b"")) if number == 2]
    if known.get(4):
        return np.frombuffer(known[4], dtype).reshape(shape)
    if known[1] == _FLOAT:
        values = np.frombuffer(b"".join(v for number, v in parts if number == 5), dtype)
    else:
        values = np.array([v for number, v in parts if number == 7 and isinstance(v, int)], dtype)
    return np.full(shape, values[0] if len(values) else 0, dtype) if values.size < np.prod(shape) else values


# -- the graph ---------------------------------------------------------------------------------------------------------


class _Converter:
    """Turns nodes one by one into ONNX's, each after those that it takes."""

    def __init__(self, nodes: list[_Node]) -> None:
        from onnx import helper

        self._helper = helper
        self._made: list[Any] = []
        self._weights: list[Any] = []
        self._constants = {n.name: _tensor(n.attributes["value"]) for n in nodes if n.kind == "Const"}
        self._names: dict[str, str] = {}
        self._top = ""
        kinds = {n.kind for n in nodes}
        if not {"Placeholder", "Conv2D", "MatMul"} <= kinds:
            raise TensorFlowFileError("not a network with convolutions")
        rest = {n.name: n for n in nodes if n.kind != "Const"}
        for name in TopologicalSorter({n.name: n.inputs for n in rest.values()}).static_order():
            if name not in rest:
                continue
            turn = getattr(self, f"_turn_{rest[name].kind.lower()}", None)
            if turn is None:
                raise TensorFlowFileError(f"the operation {rest[name].kind!r} is not FaceNet's")
            self._top = self._names[name] = turn(rest[name])

    def _add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"t{len(self._made)}"
        self._made.append(self._helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _constant(self, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _of(self, name: str) -> str:
        """An input, which may be a constant."""
        if name not in self._names:
            self._names[name] = self._constant(self._constants[name])
        return self._names[name]

    def _turn_placeholder(self, node: _Node) -> str:
        """Each picture less its mean, by its deviation, which counts as no less than that of one gray level."""
        axes = [1, 2, 3]
        centered = self._add("Sub", "input", self._add("ReduceMean", "input", axes=axes))
        deviation = self._add("Sqrt", self._add("ReduceMean", self._add("Mul", centered, centered), axes=axes))
        least = np.array((3 * INPUT_SIZE**2) ** -0.5, np.float32)
        return self._add("Div", centered, self._add("Max", deviation, self._constant(least)))

    def _window(self, node: _Node, kernel: list[int]) -> dict[str, Any]:
        strides = _list_of_ints(node.attributes["strides"])[1:3]
        padding = dict(_fields(node.attributes["padding"]))[2]
        return {"kernel_shape": kernel, "strides": strides, "auto_pad": "SAME_UPPER" if padding == b"SAME" else "VALID"}

    def _turn_conv2d(self, node: _Node) -> str:
        weights = self._constants[node.inputs[1]].transpose(3, 2, 0, 1)
        return self._add(
            "Conv", self._of(node.inputs[0]), self._constant(weights), **self._window(node, list(weights.shape[2:]))
        )

    def _turn_biasadd(self, node: _Node) -> str:
        bias = self._constants[node.inputs[1]].reshape(1, -1, 1, 1)
        return self._add("Add", self._of(node.inputs[0]), self._constant(bias))

    def _turn_relu(self, node: _Node) -> str:
        return self._add("Relu", self._of(node.inputs[0]))

    def _turn_maxpool(self, node: _Node) -> str:
        kernel = _list_of_ints(node.attributes["ksize"])[1:3]
        return self._add("MaxPool", self._of(node.inputs[0]), **self._window(node, kernel))

    def _turn_avgpool(self, node: _Node) -> str:
        kernel = _list_of_ints(node.attributes["ksize"])[1:3]
        return self._add("AveragePool", self._of(node.inputs[0]), **self._window(node, kernel))

    def _turn_concatv2(self, node: _Node) -> str:
        return self._add("Concat", *(self._of(name) for name in node.inputs[:-1]), axis=1)

    def _turn_mul(self, node: _Node) -> str:
        return self._add("Mul", *(self._of(name) for name in node.inputs))

    def _turn_add(self, node: _Node) -> str:
        return self._add("Add", *(self._of(name) for name in node.inputs))

    def _turn_reshape(self, node: _Node) -> str:
        """Only the one before the matrix; those around the normalisation change nothing here."""
        source = self._of(node.inputs[0])
        return self._add("Flatten", source, axis=1) if node.name.endswith("Flatten/flatten/Reshape") else source

    def _turn_matmul(self, node: _Node) -> str:
        return self._add("MatMul", *(self._of(name) for name in node.inputs))

    def _turn_fusedbatchnorm(self, node: _Node) -> str:
        scale, offset, mean, variance = (self._constants[name] for name in node.inputs[1:])
        epsilon = struct.unpack("<f", dict(_fields(node.attributes["epsilon"]))[4])[0]
        factor = scale / np.sqrt(variance + epsilon)
        scaled = self._add("Mul", self._of(node.inputs[0]), self._constant(factor.astype(np.float32)))
        return self._add("Add", scaled, self._constant((offset - mean * factor).astype(np.float32)))

    def _turn_square(self, node: _Node) -> str:
        source = self._of(node.inputs[0])
        return self._add("Mul", source, source)

    def _turn_sum(self, node: _Node) -> str:
        return self._add("ReduceSum", self._of(node.inputs[0]), self._constant(np.array([1], np.int64)), keepdims=1)

    def _turn_maximum(self, node: _Node) -> str:
        return self._add("Max", *(self._of(name) for name in node.inputs))

    def _turn_rsqrt(self, node: _Node) -> str:
        return self._add("Reciprocal", self._add("Sqrt", self._of(node.inputs[0])))

    def serialized(self) -> bytes:
        from onnx import TensorProto

        helper = self._helper
        source = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, INPUT_SIZE, INPUT_SIZE])
        result = helper.make_tensor_value_info(self._top, TensorProto.FLOAT, ["N", "D"])
        graph = helper.make_graph(self._made, "facenet", [source], [result], self._weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        return bytes(model.SerializeToString())
