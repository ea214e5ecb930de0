"""Changes to ONNX graphs that leave the arithmetic alone: open sizes, half-precision weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import ModelError, label, read_model

if TYPE_CHECKING:
    from onnx import ModelProto


def parse(model: Path | bytes) -> ModelProto:
    """The ONNX graph of a file or its bytes; :class:`ModelError` where it is none."""
    import onnx

    try:
        proto = onnx.load_model_from_string(read_model(model))
    except ModelError:
        raise
    except Exception as error:  # protobuf's error type depends on its version
        raise ModelError(f"{label(model)}: not an ONNX file, or a truncated one") from error
    if not proto.graph.node:
        raise ModelError(f"{label(model)}: not an ONNX file (no network in it)")
    return proto


def edited(model: Path | bytes, edits: tuple[str, ...]) -> bytes:
    """The model with the named changes of a manifest entry: ``dynamic_size``, ``dynamic_batch``."""
    proto = parse(model)
    for edit in edits:
        if edit == "dynamic_size":
            open_size(proto)
        elif edit == "dynamic_batch":
            open_batch(proto)
        else:
            raise ModelError(
                f"{label(model)}: there is no graph change {edit!r}; there are dynamic_size, dynamic_batch"
            )
    return proto.SerializeToString()


def open_size(proto: ModelProto) -> None:
    """Makes the batch 1 and height and width of the input and of 4-d outputs free (for fully convolutional graphs)."""
    _drop_initializer_inputs(proto)
    for value in proto.graph.input:
        _set_dims(value, 1, None, "height", "width")
    for index, value in enumerate(proto.graph.output):
        _set_dims(value, 1, None, f"height_{index}", f"width_{index}")
    del proto.graph.value_info[:]


def open_batch(proto: ModelProto) -> None:
    """Makes the batch size free, also in reshapes that have a batch of one written into them."""
    from onnx import numpy_helper

    _drop_initializer_inputs(proto)
    for value in (*proto.graph.input, *proto.graph.output):
        if value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
    shapes = {node.input[1] for node in proto.graph.node if node.op_type == "Reshape"}
    tensors = [t for t in proto.graph.initializer if t.name in shapes]
    for node in proto.graph.node:
        if node.op_type == "Constant" and node.output[0] in shapes:
            tensors += [a.t for a in node.attribute if a.name == "value"]
    for tensor in tensors:
        sizes = numpy_helper.to_array(tensor).copy()
        if sizes.size and sizes[0] == 1:
            sizes[0] = 0  # as many as the input has
            tensor.CopyFrom(numpy_helper.from_array(sizes, tensor.name))
    del proto.graph.value_info[:]


def _drop_initializer_inputs(proto: ModelProto) -> None:
    """Older exports list their weights among the inputs, where they cannot be folded."""
    weights = {tensor.name for tensor in proto.graph.initializer}
    kept = [value for value in proto.graph.input if value.name not in weights]
    del proto.graph.input[:]
    proto.graph.input.extend(kept)


def _set_dims(value: Any, *sizes: int | str | None) -> None:
    dims = value.type.tensor_type.shape.dim
    for dim, size in zip(dims, sizes):
        if isinstance(size, int):
            dim.dim_value = size
        elif size is not None:
            dim.dim_param = size
