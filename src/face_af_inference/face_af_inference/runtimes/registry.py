"""The choice of a runtime: what was asked for, or the best that works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .base import ModelError, Runner, label, read_model

RUNTIMES = ("auto", "tensorrt", "onnxruntime", "onnxruntime-tensorrt", "onnxruntime-cuda", "onnxruntime-cpu")
"""What ``runtime`` may be; ``onnxruntime`` is its best provider that needs no engine to be built."""

_FAMILIES = {
    "auto": ("tensorrt", "onnxruntime-tensorrt", "onnxruntime-cuda", "onnxruntime-cpu"),
    "onnxruntime": ("onnxruntime-cuda", "onnxruntime-cpu"),
}


def open_runner(
    path: Path | bytes,
    *,
    runtime: str = "auto",
    threads: int = 2,
    precision: str = "fp16",
    cache_dir: Path | None = None,
    batch_max: int = 8,
    shape: tuple[int, int] | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> Runner:
    """Loads an ONNX network (a file, or its bytes).

    ``runtime`` is one of :data:`RUNTIMES`; ``auto`` takes the first that works, and the runner's ``name`` says
    which. ``threads`` are those of the CPU provider. ``precision`` (``fp16`` or ``fp32``) is what a GPU may
    compute in; the CPU always computes in fp32. ``cache_dir`` keeps built engines. ``batch_max`` is the largest
    batch that an engine is built for, ``shape`` (height, width) the image size where the graph leaves it
    open; both are hints for engines and bind nobody else. ``on_progress`` gets a line when something takes long
    or falls back. Raises :class:`ModelError`.
    """
    if runtime not in RUNTIMES:
        raise ModelError(f"there is no runtime {runtime!r}; there are {', '.join(RUNTIMES)}")
    if precision not in ("fp16", "fp32"):
        raise ModelError(f"there is no precision {precision!r}; there are fp16 and fp32")
    say = on_progress or (lambda line: None)
    model = read_model(path)
    what = label(path)
    failures = []
    choices = _FAMILIES.get(runtime, (runtime,))
    for name in choices:
        missing = _missing(name)
        if missing:
            failures.append(f"for {name} {missing}")
            continue
        try:
            return _open(name, model, what, threads, precision, cache_dir, batch_max, shape, say)
        except ModelError as error:
            if name == choices[-1]:
                raise
            failures.append(str(error))
            say(f"{name} does not work, trying the next runtime: {error}")
    raise ModelError(f"{what}: no runtime can run it: {'; '.join(failures)}")


def _missing(name: str) -> str:
    """Why a runtime cannot be tried here at all; empty where it can."""
    if name == "tensorrt":
        from . import tensorrt_native

        return tensorrt_native.missing()
    from . import onnx_runtime

    return onnx_runtime.missing(name)


def _open(
    name: str,
    model: bytes,
    what: str,
    threads: int,
    precision: str,
    cache_dir: Path | None,
    batch_max: int,
    shape: tuple[int, int] | None,
    say: Callable[[str], None],
) -> Runner:
    if name == "tensorrt":
        from .tensorrt_native import TensorRtRunner

        try:
            return TensorRtRunner(
                model, what, precision=precision, cache_dir=cache_dir, batch_max=batch_max, shape=shape, say=say
            )
        except ModelError:
            raise
        except Exception as error:  # those of CUDA and TensorRT, whatever they are
            raise ModelError(f"{what}: TensorRT failed ({(str(error).splitlines() or [repr(error)])[0]})") from error
    from .onnx_runtime import OnnxRunner

    return OnnxRunner(model, what, provider=name, threads=threads, precision=precision, cache_dir=cache_dir, say=say)
