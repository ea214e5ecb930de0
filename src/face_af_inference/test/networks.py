"""Tiny ONNX networks for tests, what goes in, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from face_af_inference.runtimes import ModelError


def tiny(
    batch: int | str = 1, size: int | str = 8, channels: int = 3, reshape_to: tuple[int, ...] | None = None
) -> bytes:
    """A 3x3 convolution with ReLU; with ``reshape_to`` followed by a mean over the picture and a reshape."""
    rng = np.random.default_rng(3)
    weights = [
        numpy_helper.from_array(rng.normal(0, 0.3, (4, channels, 3, 3)).astype(np.float32), "w"),
        numpy_helper.from_array(rng.normal(0, 0.3, 4).astype(np.float32), "b"),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["y" if reshape_to is None else "r"]),
    ]
    shape: tuple[int | str, ...] = (batch, 4, size, size)
    if reshape_to is not None:
        weights.append(numpy_helper.from_array(np.array(reshape_to, np.int64), "to"))
        nodes += [
            helper.make_node("GlobalAveragePool", ["r"], ["m"]),
            helper.make_node("Reshape", ["m", "to"], ["y"]),
        ]
        shape = (batch, 4)
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (batch, channels, size, size))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 6
    return model.SerializeToString()


def batch_of(count: int, size: int = 8) -> np.ndarray:
    return np.random.default_rng(5).normal(0, 1, (count, 3, size, size)).astype(np.float32)


def one_line(error: pytest.ExceptionInfo[ModelError]) -> str:
    text = str(error.value)
    assert text and "\n" not in text
    return text
