from __future__ import annotations

import copy

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from face_af_common.paths import model_dirs
from face_af_inference.manifest import load_manifest
from face_af_inference.runtimes import ModelError, cpu_graph, graph


def results(proto: ModelProto, batch: np.ndarray) -> list[np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: batch})


def widths(proto: ModelProto) -> list[list[int]]:
    """The weights' shapes of all convolutions, in order."""
    shapes = {tensor.name: list(tensor.dims) for tensor in proto.graph.initializer}
    return [shapes[node.input[1]] for node in proto.graph.node if node.op_type == "Conv"]


@pytest.fixture
def small() -> ModelProto:
    """3 -> 12 -> depthwise -> 12, added to itself, pooled, 10 more, then two heads; one bias serves two layers."""
    rng = np.random.default_rng(1)
    sizes = {"a": (12, 3, 3, 3), "d": (12, 1, 3, 3), "b": (12, 12, 1, 1), "c": (10, 12, 3, 3), "p": (2, 10, 3, 3)}
    weights = [numpy_helper.from_array(rng.standard_normal(s).astype(np.float32), n) for n, s in sizes.items()]
    weights += [numpy_helper.from_array(rng.standard_normal((5, 10, 3, 3)).astype(np.float32), "q")]
    weights += [numpy_helper.from_array(rng.standard_normal(n).astype(np.float32), f"bias{n}") for n in (2, 5, 10, 12)]
    pad = {"pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["x", "a", "bias12"], ["1"], strides=[2, 2], **pad),
        helper.make_node("Relu", ["1"], ["2"]),
        helper.make_node("Conv", ["2", "d", "bias12"], ["3"], group=12, **pad),
        helper.make_node("Conv", ["3", "b"], ["4"]),
        helper.make_node("Add", ["4", "2"], ["5"]),
        helper.make_node("MaxPool", ["5"], ["6"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["6", "c", "bias10"], ["7"], **pad),
        helper.make_node("Conv", ["7", "p", "bias2"], ["8"], **pad),
        helper.make_node("Conv", ["7", "q", "bias5"], ["z"], **pad),
        helper.make_node("Sigmoid", ["8"], ["y"]),
    ]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("y", "z")]
    picture = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w"])
    made = helper.make_graph(nodes, "small", [picture], values, weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 11)], ir_version=7)


def test_channels_are_filled_up_and_siblings_joined(small: ModelProto) -> None:
    fitted = copy.deepcopy(small)
    cpu_graph.fit(fitted, 16)
    assert widths(fitted) == [[16, 3, 3, 3], [16, 1, 3, 3], [16, 16, 1, 1], [16, 16, 3, 3], [7, 16, 3, 3]]
    batch = np.random.default_rng(0).standard_normal((1, 3, 32, 48)).astype(np.float32)
    for before, after in zip(results(small, batch), results(fitted, batch), strict=True):
        assert before.shape == after.shape
        assert np.allclose(before, after, rtol=1e-4, atol=1e-4)


def test_a_tensor_that_something_else_reads_keeps_its_channels(small: ModelProto) -> None:
    small.graph.node.append(helper.make_node("Shape", ["5"], ["s"]))
    small.graph.output.append(helper.make_tensor_value_info("s", TensorProto.INT64, None))
    cpu_graph.fit(small, 16)
    # only what lies between the pool (which belongs to what was read) and the heads is free
    assert widths(small)[:4] == [[12, 3, 3, 3], [12, 1, 3, 3], [12, 12, 1, 1], [16, 12, 3, 3]]


def test_blocks_that_are_full_or_unknown_change_nothing(small: ModelProto) -> None:
    before = small.SerializeToString()
    cpu_graph.fit(small, 1)
    assert small.SerializeToString() == before
    assert cpu_graph.channel_block() in (1, 8, 16)


@pytest.mark.parametrize("block", [8, 16])
@pytest.mark.parametrize(
    ("kind", "name"),
    [("detector", "centerface"), ("embedder", "dlib"), ("detector", "scrfd"), ("embedder", "mobilefacenet")],
)
def test_real_networks_give_the_same_numbers(kind: str, name: str, block: int) -> None:
    try:
        spec = load_manifest().choose(kind, name, model_dirs())
    except ModelError as error:
        pytest.skip(str(error))
    proto = graph.parse(spec.network())
    fitted = copy.deepcopy(proto)
    cpu_graph.fit(fitted, block)
    height, width = spec.size or (64, 96)
    batch = np.random.default_rng(0).uniform(-1, 1, (1, 3, height, width)).astype(np.float32)
    for before, after in zip(results(proto, batch), results(fitted, batch), strict=True):
        assert np.allclose(before, after, rtol=1e-3, atol=1e-4 * np.abs(before).max())
