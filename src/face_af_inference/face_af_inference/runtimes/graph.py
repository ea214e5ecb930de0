"""Changes to ONNX graphs that leave the arithmetic alone: open sizes, half-precision weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import ModelError, label, read_model, why

if TYPE_CHECKING:
    from onnx import ModelProto


def parse(model: Path | bytes, what: str = "") -> ModelProto:
    """The ONNX graph of a file or its bytes; :class:`ModelError` where it is none, which calls it ``what``."""
    import onnx

    what = what or label(model)
    try:
        proto = onnx.load_model_from_string(read_model(model))
    except ModelError:
        raise
    except Exception as error:  # protobuf's error type depends on its version
        raise ModelError(f"{what}: {why(error, 'not an ONNX file, or a truncated one')}") from error
    if not proto.graph.node:
        raise ModelError(f"{what}: not an ONNX file (no network in it)")
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
    return bytes(proto.SerializeToString())


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
    for dim, size in zip(dims, sizes, strict=False):
        if isinstance(size, int):
            dim.dim_value = size
        elif size is not None:
            dim.dim_param = size


def fix_size(proto: ModelProto, shape: tuple[int, int] | None) -> tuple[int | None, ...]:
    """Writes height and width into the input where the graph leaves them open; returns the input's N, C, H, W.

    N is None where the batch stays free. :class:`ModelError` where sizes are open and ``shape`` is None.
    """
    _drop_initializer_inputs(proto)
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    if len(proto.graph.input) != 1 or len(dims) != 4:
        raise ModelError("one image batch (N, C, H, W) is needed as input")
    for dim, size in zip(dims[2:], shape or (None, None), strict=True):
        if dim.dim_value > 0:
            continue
        if size is None:
            raise ModelError("the network takes images of any size; an engine needs one size to be built for")
        dim.dim_value = size
    if dims[1].dim_value <= 0:
        dims[1].dim_value = 3
    del proto.graph.value_info[:]
    return tuple(dim.dim_value if dim.dim_value > 0 else None for dim in dims)


def half(proto: ModelProto) -> None:
    """Makes weights and arithmetic half precision; inputs and outputs stay float32.

    For builders without an FP16 flag. Values beyond half precision's range are clamped to it.
    """
    from onnx import TensorProto, helper, numpy_helper

    graph = proto.graph

    def convert(tensor: Any) -> None:
        if tensor.data_type == TensorProto.FLOAT:
            values = np.clip(numpy_helper.to_array(tensor), -65504.0, 65504.0).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))

    # a resize's scales and region stay float32 by the operator's definition
    single = {name for node in graph.node if node.op_type in ("Resize", "Upsample") for name in node.input[1:] if name}
    for tensor in graph.initializer:
        if tensor.name not in single:
            convert(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            if (node.op_type == "Constant" and node.output[0] not in single) or node.op_type == "ConstantOfShape":
                convert(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.FLOAT16 if node.output[0] not in single else TensorProto.FLOAT

    casts_in, casts_out = [], []
    for value in graph.input:
        inner = value.name + "_half"
        for node in graph.node:
            for index, name in enumerate(node.input):
                if name == value.name:
                    node.input[index] = inner
        casts_in.append(helper.make_node("Cast", [value.name], [inner], to=TensorProto.FLOAT16))
    for value in graph.output:
        inner = value.name + "_half"
        for node in graph.node:
            for names in (node.input, node.output):
                for index, name in enumerate(names):
                    if name == value.name:
                        names[index] = inner
        casts_out.append(helper.make_node("Cast", [inner], [value.name], to=TensorProto.FLOAT))
    nodes = [*casts_in, *graph.node, *casts_out]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
