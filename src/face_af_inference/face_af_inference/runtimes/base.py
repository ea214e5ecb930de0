"""What every runtime offers: a network that turns one array into several."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from face_af_common.files import regular, told
from face_af_common.memory import is_shortage

Array = NDArray[np.float32]


class ModelError(ValueError):
    """A model file or runtime cannot be used; the text is one line that says which, why and what to do."""


class Runner(Protocol):
    """A loaded network with one input.

    ``name`` says which runtime and device runs it. ``input_shape`` is N, C, H, W, with None where any
    size will do; a batch larger than a fixed N is run piece by piece. ``any_size``: a free size may change from run to
    run at no cost but its own arithmetic. ``precision`` is ``fp32`` or ``fp16``.
    """

    name: str
    input_shape: tuple[int | None, ...]
    any_size: bool
    output_names: tuple[str, ...]
    precision: str

    def run(self, batch: Array) -> list[Array]:
        """The outputs in the graph's order for a contiguous float32 ``batch`` (N, C, H, W).

        The arrays may be reused by the next call. Raises :class:`ModelError` where shape or type do not fit.
        """
        ...

    def close(self) -> None:
        """Frees the network; ``run`` must not be called afterwards."""
        ...


def label(model: Path | bytes) -> str:
    """How messages call a model."""
    return str(model) if isinstance(model, Path) else "model"


def why(error: Exception, otherwise: str) -> str:
    """What to say of a network that does not load: a lack of memory is not the file's fault."""
    return "there is not enough memory for this network: end other programs" if is_shortage(error) else otherwise


def read_model(model: Path | bytes) -> bytes:
    """The bytes of a model; :class:`ModelError` where its file cannot be read or is empty."""
    if isinstance(model, bytes):
        return model
    try:
        data = regular(model).read_bytes()
    except OSError as error:
        raise ModelError(told(error)) from error
    if not data:
        raise ModelError(f"{model}: the file is empty")
    return data


def check_batch(batch: Array, shape: tuple[int | None, ...], name: str) -> None:
    """Raises :class:`ModelError` where ``batch`` does not fit ``shape``, the batch size aside."""
    fits = batch.ndim == len(shape) and all(
        want in (None, got) for want, got in zip(shape[1:], batch.shape[1:], strict=True)
    )
    if not fits or not len(batch):
        wanted = "x".join("?" if size is None else str(size) for size in shape)
        raise ModelError(f"{name}: the input is {'x'.join(map(str, batch.shape))}, the network takes {wanted}")
    if batch.dtype != np.float32:
        raise ModelError(f"{name}: the input is {batch.dtype}, the network takes float32")


def pieces(batch: Array, size: int | None) -> list[Array]:
    """``batch`` cut into pieces that a network with the fixed batch ``size`` takes; the last one is padded."""
    if size is None or len(batch) == size:
        return [batch]
    cut = [batch[start : start + size] for start in range(0, len(batch), size)]
    if cut and len(cut[-1]) < size:
        cut[-1] = np.concatenate([cut[-1], np.zeros((size - len(cut[-1]), *batch.shape[1:]), np.float32)])
    return cut


def joined(parts: list[list[Array]], count: int, size: int) -> list[Array]:
    """The outputs of :func:`pieces` put together again, padding dropped."""
    out = []
    for same in zip(*parts, strict=True):
        whole = np.concatenate(same)
        out.append(whole[: len(whole) * count // (len(parts) * size)])
    return out
