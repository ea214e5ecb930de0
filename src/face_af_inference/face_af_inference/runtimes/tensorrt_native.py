"""Native TensorRT (8.6, 10 and 11) with PyCUDA: one stream, pinned buffers, engines from the cache."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from . import graph
from .base import Array, ModelError, check_batch, joined, pieces
from .engine_cache import EngineCache, EngineKey

if TYPE_CHECKING:
    import tensorrt as trt

WORKSPACE_BYTES = 1 << 30
"""Scratch memory that the builder may try algorithms with."""
PROGRESS_EVERY_S = 10.0


def missing() -> str:
    """Why native TensorRT cannot be used here; empty where it may work."""
    try:
        import tensorrt
    except ImportError as error:
        return f"TensorRT's Python package is not installed ({error})"
    except Exception as error:  # a binding whose libnvinfer is absent raises what it likes
        return f"TensorRT does not load ({error})"
    # type stubs alone make an empty package of that name
    if not hasattr(tensorrt, "Builder"):
        return "TensorRT's Python package is not installed"
    try:
        import pycuda.driver as cuda

        cuda.init()
    except ImportError as error:
        return f"PyCUDA is not installed ({error})"
    except Exception as error:
        return f"no CUDA device ({error})"
    return ""


class TensorRtRunner:
    """One engine with its buffers (a :class:`~.base.Runner`); may be used from any thread, one at a time."""

    any_size = False

    def __init__(
        self,
        model: bytes,
        what: str,
        *,
        precision: str,
        cache_dir: Path | None,
        batch_max: int,
        shape: tuple[int, int] | None,
        say: Callable[[str], None],
    ) -> None:
        import pycuda.driver as cuda

        from face_af_common.paths import data_dir

        self._what = what
        self._cuda = cuda
        self._lock = threading.Lock()
        self._buffers: dict[str, _Buffer] = {}
        try:
            cuda.init()
            device = cuda.Device(0)
            self._primary = device.retain_primary_context()
        except Exception as error:
            raise ModelError(f"no CUDA device can be used ({error})") from error
        with self._current():
            cache = EngineCache(cache_dir or data_dir() / "engines", say)
            loaded = load_engine(
                model,
                what,
                gpu=_gpu_name(device),
                precision=precision,
                batch_max=batch_max,
                shape=shape,
                cache=cache,
                say=say,
            )
            self._engine, self.input_shape, self._batch_max = loaded
            self._context = self._engine.create_execution_context()
            if self._context is None:
                raise ModelError(f"{what}: the engine does not start (too little GPU memory?)")
            self._stream = cuda.Stream()
            self._open_buffers()
        self.precision = precision
        self.name = f"tensorrt {_version()} {precision}"
        # proves the engine and pays the first run's extra cost here
        channels, height, width = (size or 1 for size in self.input_shape[1:])
        self.run(np.zeros((self.input_shape[0] or 1, channels, height, width), np.float32))

    def run(self, batch: Array) -> list[Array]:
        check_batch(batch, self.input_shape, self._what)
        size = self.input_shape[0]
        if (size is None and len(batch) <= self._batch_max) or size == len(batch):
            with self._lock, self._current():
                return self._once(batch)
        size = size or self._batch_max
        with self._lock, self._current():
            # the buffers are used again by the next piece
            parts = [[output.copy() for output in self._once(piece)] for piece in pieces(batch, size)]
        return joined(parts, len(batch), size)

    def close(self) -> None:
        with self._lock, self._current():
            for buffer in self._buffers.values():
                buffer.device.free()
            self._buffers.clear()
            del self._context, self._engine, self._stream
        self._primary.detach()

    def _once(self, batch: Array) -> list[Array]:
        cuda, context = self._cuda, self._context
        try:
            into = self._buffers[self._input]
            into.host[: batch.size] = batch.ravel()
            context.set_input_shape(self._input, batch.shape)
            cuda.memcpy_htod_async(into.device, into.host[: batch.size], self._stream)
            if not context.execute_async_v3(self._stream.handle):
                raise ModelError(f"{self._what}: TensorRT failed while running")
            outputs = []
            for name in self.output_names:
                buffer, shape = self._buffers[name], _sizes(context.get_tensor_shape(name))
                view = buffer.host[: int(np.prod(shape))]
                cuda.memcpy_dtoh_async(view, buffer.device, self._stream)
                outputs.append(view.reshape(shape))
            self._stream.synchronize()
        except ModelError:
            raise
        except Exception as error:  # PyCUDA's errors
            raise ModelError(f"{self._what}: the GPU failed ({error})") from error
        return outputs

    def _open_buffers(self) -> None:
        """Pinned host and device memory for the largest batch, its addresses told to TensorRT once."""
        import tensorrt

        engine, context = self._engine, self._context
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        self._input = next(n for n in names if engine.get_tensor_mode(n) == tensorrt.TensorIOMode.INPUT)
        self.output_names = tuple(name for name in names if name != self._input)
        largest = (self.input_shape[0] or self._batch_max, *_known(self.input_shape[1:]))
        context.set_input_shape(self._input, largest)
        for name in names:
            if engine.get_tensor_dtype(name) != tensorrt.DataType.FLOAT:
                raise ModelError(f"{self._what}: {name} is not float32")
            count = int(np.prod(_sizes(context.get_tensor_shape(name))))
            host = self._cuda.pagelocked_empty(count, np.float32)
            self._buffers[name] = buffer = _Buffer(host, self._cuda.mem_alloc(host.nbytes))
            context.set_tensor_address(name, int(buffer.device))

    @contextmanager
    def _current(self) -> Iterator[None]:
        self._primary.push()
        try:
            yield
        finally:
            self._primary.pop()


class _Buffer:
    """One tensor's memory: pinned on the host, and on the device."""

    def __init__(self, host: Array, device: Any) -> None:
        self.host = host
        self.device = device


def load_engine(
    model: bytes,
    what: str,
    *,
    gpu: str,
    precision: str,
    batch_max: int,
    shape: tuple[int, int] | None,
    cache: EngineCache,
    say: Callable[[str], None],
) -> tuple[trt.ICudaEngine, tuple[int | None, ...], int]:
    """The engine from the cache, or built and put there; with its input shape and largest batch.

    A cached engine that is damaged, does not load or has other tensors is built again.
    """
    import tensorrt

    proto = graph.parse(model)
    try:
        input_shape = graph.fix_size(proto, shape)
    except ModelError as error:
        raise ModelError(f"{what}: {error}") from error
    largest = batch_max if input_shape[0] is None else input_shape[0]
    outputs = {value.name for value in proto.graph.output}
    sizes = "x".join(map(str, _known(input_shape[1:])))
    key = EngineKey(
        _version(),
        gpu,
        hashlib.sha256(model).hexdigest(),
        precision,
        f"{proto.graph.input[0].name}:{1 if input_shape[0] is None else largest}x{sizes}..{largest}x{sizes}",
    )
    runtime = tensorrt.Runtime(_logger())
    data = cache.load(key)
    if data is not None:
        engine = runtime.deserialize_cuda_engine(data)
        if engine is not None and outputs < {engine.get_tensor_name(i) for i in range(engine.num_io_tensors)}:
            return engine, input_shape, largest
        say(f"{cache.folder / key.file_name}: does not load; the engine is built again")
        cache.forget(key)
    data = _build(proto, what, precision, input_shape, largest, say)
    if cache.store(key, data):
        say(f"{what}: engine kept as {cache.folder / key.file_name}")
    engine = runtime.deserialize_cuda_engine(data)
    if engine is None:
        raise ModelError(f"{what}: TensorRT does not load the engine that it has just built")
    return engine, input_shape, largest


def _build(
    proto: Any,
    what: str,
    precision: str,
    input_shape: tuple[int | None, ...],
    largest: int,
    say: Callable[[str], None],
) -> bytes:
    """Has TensorRT make an engine; takes from seconds to minutes, with a line every now and then."""
    import tensorrt

    version = _version()
    builder = tensorrt.Builder(_logger())
    config = builder.create_builder_config()
    config.set_memory_pool_limit(tensorrt.MemoryPoolType.WORKSPACE, WORKSPACE_BYTES)
    if precision == "fp16":
        if hasattr(tensorrt.BuilderFlag, "FP16"):
            config.set_flag(tensorrt.BuilderFlag.FP16)
        else:  # from 11 on networks are strongly typed: the weights decide
            graph.half(proto)
    flags = 0
    if int(version.split(".")[0]) < 10:
        flags |= 1 << int(tensorrt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH)
    network = builder.create_network(flags)
    parser = tensorrt.OnnxParser(network, _logger())
    if not parser.parse(proto.SerializeToString()):
        reasons = [str(parser.get_error(index)).splitlines()[0] for index in range(parser.num_errors)]
        raise ModelError(f"{what}: TensorRT cannot read the network ({'; '.join(reasons[:2]) or 'no reason given'})")
    if input_shape[0] is None:
        picture = _known(input_shape[1:])
        profile = builder.create_optimization_profile()
        sizes = (tensorrt.Dims([count, *picture]) for count in (1, min(4, largest), largest))
        profile.set_shape(network.get_input(0).name, *sizes)
        config.add_optimization_profile(profile)
    say(f"{what}: TensorRT {version} builds an {precision} engine; this usually takes 1 to 5 minutes, once")
    start = time.monotonic()
    with _reporting(lambda: say(f"{what}: still building, {time.monotonic() - start:.0f} s")):
        built = builder.build_serialized_network(network, config)
    if built is None:
        raise ModelError(f"{what}: TensorRT could not build an engine (too little GPU memory?)")
    say(f"{what}: engine built in {time.monotonic() - start:.0f} s")
    return bytes(cast(Any, built))  # a buffer, which the stubs do not know


@contextmanager
def _reporting(report: Callable[[], None]) -> Iterator[None]:
    done = threading.Event()

    def repeat() -> None:
        while not done.wait(PROGRESS_EVERY_S):
            report()

    thread = threading.Thread(target=repeat, name="engine-build-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _known(sizes: tuple[int | None, ...]) -> tuple[int, ...]:
    return tuple(size or 1 for size in sizes)


def _sizes(dims: trt.Dims) -> tuple[int, ...]:
    return tuple(dims[index] for index in range(len(dims)))


def _version() -> str:
    import tensorrt

    return str(tensorrt.__version__)


def _gpu_name(device: Any) -> str:
    major, minor = device.compute_capability()
    return f"{device.name()} sm_{major}{minor}"


LOGGERS: list[trt.Logger] = []
"""The one logger, once it is made."""


def _logger() -> trt.Logger:
    """The one logger, which must outlive every object made with it."""
    import tensorrt

    if not LOGGERS:
        LOGGERS.append(tensorrt.Logger(tensorrt.Logger.ERROR))
    return LOGGERS[0]
