"""The GE2E voice embedder of Resemblyzer as an ONNX model, built from the weights file inside its wheel.

Three layers of LSTM with 256 units, a linear layer, ReLU, scaled to length one ("Generalized end-to-end loss for
speaker verification", Wan et al., 2018; Resemblyzer's ``voice_encoder.py``, Apache-2.0). ONNX Runtime needs neither
torch nor its 2 GB.

The second and third layer have weights of 8 bits, which takes a quarter less time and changes embeddings little (cosine
0.999 at least). The first one does not: its input, power, spans more than 8 bits can tell apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .torch_file import TorchFileError, read_tensors

BANDS, UNITS, LAYERS = 40, 256, 3

Floats = NDArray[np.float32]


def convert(path: str | Path) -> bytes:
    """A serialized ONNX model that goes on where it stopped.

    Inputs ``mel`` (frames x N x 40), ``h`` and ``c`` (3 x N x 256, zeros at a start); outputs ``embedding`` (N x 256,
    of length one, none below 0), ``hn`` and ``cn``. Raises ``TorchFileError`` where the file is another one,
    ``OSError`` where it cannot be read.
    """
    from onnx import TensorProto, helper

    tensors = read_tensors(path)
    parts = _Parts()
    constant, add = parts.constant, parts.add
    directions = constant("directions", np.array([1], np.int64))
    for state in "hc":
        add("Split", [state], [f"{state}{layer}" for layer in range(LAYERS)], axis=0)
    top = "mel"
    for layer in range(LAYERS):
        _add_lstm(parts, tensors, layer, top)
        top = f"x{layer}"
        add("Squeeze", [f"y{layer}", directions], [top])
    for state in "hc":
        add("Concat", [f"{state}n{layer}" for layer in range(LAYERS)], [f"{state}n"], axis=0)
    first = constant("first", np.array([0], np.int64))
    add("Squeeze", [f"hn{LAYERS - 1}", first], ["top"])
    weight = constant("weight", _tensor(tensors, "linear.weight", (UNITS, UNITS)))
    add("Gemm", ["top", weight, constant("bias", _tensor(tensors, "linear.bias", (UNITS,)))], ["linear"], transB=1)
    add("Relu", ["linear"], ["positive"])
    add("LpNormalization", ["positive"], ["embedding"], axis=1, p=2)

    def value(name: str, *shape: int | str) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    states = (LAYERS, "batch", UNITS)
    graph = helper.make_graph(
        parts.nodes, "ge2e",
        [value("mel", "frames", "batch", BANDS), value("h", *states), value("c", *states)],
        [value("embedding", "batch", UNITS), value("hn", *states), value("cn", *states)],
        parts.weights,
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 14), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return bytes(model.SerializeToString())


class _Parts:
    """The nodes and weights of a graph in the making."""

    def __init__(self) -> None:
        self.weights: list[Any] = []
        self.nodes: list[Any] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))


def _add_lstm(parts: _Parts, tensors: dict[str, NDArray[Any]], layer: int, top: str) -> None:
    """One layer on the output ``top`` of the one before; the first in float, the others with weights of 8 bits."""
    constant = parts.constant
    w, r, b = _lstm(tensors, layer)
    outputs = [f"y{layer}", f"hn{layer}", f"cn{layer}"]
    rest = [constant(f"B{layer}", b), "", f"h{layer}", f"c{layer}"]
    if layer == 0:
        parts.add("LSTM", [top, constant("W0", w), constant("R0", r), *rest], outputs, hidden_size=UNITS)
        return
    small = {name: _eight_bits(value) for name, value in (("W", w), ("R", r))}
    weights8 = [constant(f"{name}{layer}", part[0]) for name, part in small.items()]
    scales = [constant(f"{name}{layer}_{i}", part[i]) for name, part in small.items() for i in (1, 2)]
    parts.add(
        "DynamicQuantizeLSTM", [top, *weights8, *rest, "", *scales], outputs,
        domain="com.microsoft", hidden_size=UNITS,
    )  # fmt: skip


def _lstm(tensors: dict[str, NDArray[Any]], layer: int) -> tuple[Floats, Floats, Floats]:
    """W, R and B of one layer in ONNX' order of gates (i, o, f, c); torch has (i, f, c, o)."""
    size = BANDS if layer == 0 else UNITS
    w = _tensor(tensors, f"lstm.weight_ih_l{layer}", (4 * UNITS, size))
    r = _tensor(tensors, f"lstm.weight_hh_l{layer}", (4 * UNITS, UNITS))
    b = [_tensor(tensors, f"lstm.bias_{kind}_l{layer}", (4 * UNITS,)) for kind in ("ih", "hh")]
    return _gates(w)[None], _gates(r)[None], np.concatenate([_gates(part) for part in b])[None]


def _eight_bits(value: Floats) -> tuple[NDArray[np.uint8], Floats, NDArray[np.uint8]]:
    """Weights as DynamicQuantizeLSTM has them (inputs x gates), a scale for each gate, and its zero.

    Unsigned: with signed weights the sums of two products overflow on processors without VNNI.
    """
    turned = value.transpose(0, 2, 1)
    scale = np.maximum(np.abs(turned).max(1), 1e-9) / 127
    return (np.round(turned / scale[:, None]) + 128).astype(np.uint8), scale, np.full(scale.shape, 128, np.uint8)


def _gates(value: Floats) -> Floats:
    i, f, c, o = np.split(value, 4)
    return np.concatenate([i, o, f, c])


def _tensor(tensors: dict[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> Floats:
    value = tensors.get(f"model_state.{name}")
    if value is None or value.shape != shape or not np.isfinite(value).all():
        raise TorchFileError(f"this is not the GE2E voice embedder: {name} is missing or of another shape")
    return np.asarray(value, np.float32)
