"""ONNX Runtime with its CPU, CUDA and TensorRT providers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import cpu_graph, graph
from .base import Array, ModelError, check_batch, joined, pieces, why

PROVIDERS = {
    "onnxruntime-cpu": "CPUExecutionProvider",
    "onnxruntime-cuda": "CUDAExecutionProvider",
    "onnxruntime-tensorrt": "TensorrtExecutionProvider",
}

SPIN_US = 20
"""Between two layers a thread waits awake for so long: that bridges the gaps and is over before anybody misses it."""
_SHORT_SPIN_SINCE = (1, 31)
"""Older versions spin for milliseconds or not at all."""


def missing(name: str) -> str:
    """Why the provider cannot be used here; empty where it may work."""
    try:
        import onnxruntime
    except ImportError as error:
        return f"ONNX Runtime is not installed ({error})"
    if PROVIDERS[name] not in onnxruntime.get_available_providers():
        return f"this build of ONNX Runtime has no {PROVIDERS[name]} (the package onnxruntime-gpu has it)"
    return ""


class OnnxRunner:
    """One network in ONNX Runtime (a :class:`~.base.Runner`)."""

    def __init__(
        self,
        model: bytes,
        what: str,
        *,
        provider: str,
        threads: int,
        precision: str,
        cache_dir: Path | None,
        say: Callable[[str], None],
    ) -> None:
        import onnxruntime

        self.name = provider
        self._what = what
        wanted = PROVIDERS[provider]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, threads)
        options.inter_op_num_threads = 1
        limit_spinning(options, onnxruntime.__version__)
        options.log_severity_level = 4
        self.precision = precision if provider == "onnxruntime-tensorrt" else "fp32"
        if provider != "onnxruntime-cpu" and hasattr(onnxruntime, "preload_dlls"):
            onnxruntime.preload_dlls()
        self.any_size = provider == "onnxruntime-cpu"
        if self.any_size:
            model = _fitted(model, what)
        engines = provider == "onnxruntime-tensorrt"
        if engines:
            say(f"{what}: ONNX Runtime prepares a TensorRT engine; the first time takes minutes")
        try:
            try:
                providers = _providers(provider, precision, _writable(cache_dir, say) if engines else None)
                self._session = onnxruntime.InferenceSession(model, options, providers=providers)
            except Exception as error:
                if not engines:
                    raise
                say(f"{what}: does not start with the engines in {cache_dir}, trying without ({_first_line(error)})")
                providers = _providers(provider, precision, None)
                self._session = onnxruntime.InferenceSession(model, options, providers=providers)
        except Exception as error:  # ONNX Runtime's errors share no base class
            reason = why(error, f"not a network that ONNX Runtime can run ({_first_line(error)})")
            raise ModelError(f"{what}: {reason}") from error
        if self._session.get_providers()[0] != wanted:
            raise ModelError(f"{what}: {wanted} does not start (driver or CUDA libraries missing?)")
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
            found = ", ".join(f"{i.name} {i.type} {i.shape}" for i in inputs)
            raise ModelError(f"{what}: one float picture batch (N, C, H, W) is needed as input; it has {found}")
        self._input = inputs[0].name
        self.input_shape: tuple[int | None, ...] = tuple(
            size if isinstance(size, int) and size > 0 else None for size in inputs[0].shape
        )
        self.output_names = tuple(output.name for output in self._session.get_outputs())

    def run(self, batch: Array) -> list[Array]:
        check_batch(batch, self.input_shape, self._what)
        size = self.input_shape[0]
        if size is None or len(batch) == size:
            return self._once(batch)
        return joined([self._once(piece) for piece in pieces(batch, size)], len(batch), size)

    def _once(self, batch: Array) -> list[Array]:
        try:
            outputs: list[Array] = self._session.run(None, {self._input: batch})
        except Exception as error:
            raise ModelError(f"{self._what}: failed while running ({_first_line(error)})") from error
        return outputs

    def close(self) -> None:
        del self._session


def _fitted(model: bytes, what: str) -> bytes:
    proto = graph.parse(model, what)
    try:
        cpu_graph.fit(proto, cpu_graph.channel_block())
    except Exception:  # a graph that contradicts itself, in whatever way: ONNX Runtime says what is wrong with it
        return model
    return bytes(proto.SerializeToString())


def limit_spinning(options: Any, version: str) -> None:
    """Threads that spin between frames take the processor from the other nodes."""
    short = tuple(int(part) for part in version.split(".")[:2]) >= _SHORT_SPIN_SINCE
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if short else "0")
    if short:
        options.add_session_config_entry("session.intra_op.spin_duration_us", str(SPIN_US))
        options.add_session_config_entry("session.force_spinning_stop", "1")


def _providers(provider: str, precision: str, cache_dir: Path | None) -> list[Any]:
    cpu = "CPUExecutionProvider"
    cuda = ("CUDAExecutionProvider", {"cudnn_conv_algo_search": "EXHAUSTIVE"})
    if provider == "onnxruntime-cpu":
        return [cpu]
    if provider == "onnxruntime-cuda":
        return [cuda, cpu]
    options: dict[str, Any] = {"trt_fp16_enable": precision == "fp16"}
    if cache_dir is not None:
        options |= {
            "trt_engine_cache_enable": True,
            "trt_engine_cache_path": str(cache_dir),
            "trt_timing_cache_enable": True,
            "trt_timing_cache_path": str(cache_dir),
        }
    return [("TensorrtExecutionProvider", options), cuda, cpu]


def _writable(cache_dir: Path | None, say: Callable[[str], None]) -> Path | None:
    """The folder for ONNX Runtime's engines; None, and a line, where nothing can be written."""
    from face_af_common.paths import data_dir

    folder = (cache_dir or data_dir() / "engines") / "onnxruntime"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        say(f"{folder}: engines cannot be kept there ({error.strerror}); they are built at every start")
        return None


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
