"""dlib's face recognition network as an ONNX model, built from the weights file that dlib itself publishes.

dlib runs this network at about 60 ms a face; the same numbers through ONNX Runtime take a tenth of
that, in batches, and need neither dlib's binary nor a compiler. The layers are those of dlib's
``dnn_face_recognition_ex.cpp`` (public domain); the file holds their weights in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_af_common.files import regular

INPUT_SIZE = 150
MEAN_RGB = (122.782, 117.001, 104.298)
SCALE = 256.0
"""Input is ``1 x 3 x 150 x 150``, RGB, ``(p - MEAN_RGB) / SCALE``."""

_STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Filters, residual blocks, and whether the first block halves the image; from the input on."""

_LAYER = re.compile(rb"\x01\x05con_4|\x01\x07affine_|\x01\x04fc_2")
_TENSOR_VERSION = 2

Floats = NDArray[np.float32]


class DlibFileError(ValueError):
    """The file is not dlib's face recognition network; one line that says why."""


def convert(path: str | Path) -> bytes:
    """A serialized ONNX model with input ``N x 3 x 150 x 150`` and output ``N x 128``.

    Raises :class:`DlibFileError` when the file is another one or is cut short.
    """
    tensors = list(_tensors(regular(path).read_bytes()))
    graph = _Graph(tensors)
    graph.convolve(32, 7, 2)
    graph.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2])
    for filters, blocks, halves in _STAGES:
        for block in range(blocks):
            graph.residual(filters, halves and block == 0)
    graph.add("GlobalAveragePool")
    graph.add("Flatten", axis=1)
    graph.dense(128)
    return graph.serialized()


def _tensors(data: bytes) -> Iterator[Floats]:
    """The parameters of every layer that has some, in the order of the file (input first)."""
    if b"loss_metric_" not in data[:64] or b"input_rgb_image_sized" not in data:
        raise DlibFileError("this is not dlib's face recognition network")
    at = 0
    while match := _LAYER.search(data, at):
        position = match.end()
        if match.group().endswith(b"fc_2"):
            for _ in range(2):  # outputs, inputs
                _, position = _integer(data, position)
        version, position = _integer(data, position)
        count = 1
        for _ in range(4):
            size, position = _integer(data, position)
            count *= size
        if version != _TENSOR_VERSION or position + 4 * count > len(data):
            raise DlibFileError("dlib's face recognition network is cut short or of an unknown version")
        yield np.frombuffer(data, "<f4", count, position)
        at = position + 4 * count


def _integer(data: bytes, position: int) -> tuple[int, int]:
    """dlib's variable-length integer: a byte with the length, then little-endian bytes."""
    length = data[position] & 0x0F if position < len(data) else 0
    return int.from_bytes(data[position + 1 : position + 1 + length], "little"), position + 1 + length


class _Graph:
    """Appends layers to a chain; each takes its weights off the front of ``tensors``."""

    def __init__(self, tensors: list[Floats]) -> None:
        from onnx import helper

        self._helper = helper
        self._tensors = tensors
        self._nodes: list[Any] = []
        self._weights: list[Any] = []
        self._top, self._channels, self._side = "input", 3, INPUT_SIZE

    def _take(self, count: int) -> Floats:
        if not self._tensors or self._tensors[0].size != count:
            raise DlibFileError("the layers of dlib's face recognition network have other sizes than expected")
        return self._tensors.pop(0)

    def _constant(self, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, *more: str, **attributes: Any) -> None:
        name = f"t{len(self._nodes)}"
        self._nodes.append(self._helper.make_node(kind, [self._top, *more], [name], **attributes))
        self._top = name
        if "strides" in attributes:
            pad = attributes.get("pads", [0])[0]
            self._side = (self._side + 2 * pad - attributes["kernel_shape"][0]) // attributes["strides"][0] + 1

    def convolve(self, filters: int, kernel: int, stride: int, relu: bool = True) -> None:
        """Convolution with dlib's affine layer folded in. dlib pads only where the stride is 1."""
        inputs = self._channels * kernel * kernel
        parameters = self._take(filters * (inputs + 1))
        affine = self._take(2 * filters)
        gamma, beta = affine[:filters], affine[filters:]
        weights = parameters[: filters * inputs].reshape(filters, -1) * gamma[:, None]
        bias = parameters[filters * inputs :] * gamma + beta
        pad = kernel // 2 if stride == 1 else 0
        self.add(
            "Conv",
            self._constant(weights.reshape(filters, self._channels, kernel, kernel)),
            self._constant(bias),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[pad] * 4,
        )
        self._channels = filters
        if relu:
            self.add("Relu")

    def residual(self, filters: int, halves: bool) -> None:
        """Two convolutions beside a shortcut; dlib fills whichever is smaller with zeros before the sum."""
        entry, channels, side = self._top, self._channels, self._side
        self.convolve(filters, 3, 2 if halves else 1)
        self.convolve(filters, 3, 1, relu=False)
        main, main_side = self._top, self._side
        if halves:
            self._top, self._side = entry, side
            self.add("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
            largest = max(main_side, self._side)
            shortcut = self._padded(filters - channels, largest - self._side)
            self._top = main
            main = self._padded(0, largest - main_side)
            self._top, self._side = main, largest
        else:
            shortcut = entry
        self.add("Add", shortcut)
        self.add("Relu")

    def _padded(self, channels: int, pixels: int) -> str:
        if channels or pixels:
            pads = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)
            self.add("Pad", self._constant(pads))
        return self._top

    def dense(self, outputs: int) -> None:
        self.add("MatMul", self._constant(self._take(self._channels * outputs).reshape(self._channels, outputs)))

    def serialized(self) -> bytes:
        helper = self._helper
        if self._tensors:
            raise DlibFileError("dlib's face recognition network has more layers than expected")
        from onnx import TensorProto

        source = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, INPUT_SIZE, INPUT_SIZE])
        result = helper.make_tensor_value_info(self._top, TensorProto.FLOAT, ["N", 128])
        graph = helper.make_graph(self._nodes, "dlib_face_recognition", [source], [result], self._weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        return bytes(model.SerializeToString())
