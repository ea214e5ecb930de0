"""Modules that behave as TensorRT and PyCUDA do where our code touches them; ONNX Runtime does the arithmetic."""

from __future__ import annotations

import sys
from enum import IntEnum
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

_MEMORY: dict[int, np.ndarray] = {}


class Memory:
    def __init__(self, size: int) -> None:
        self.address = 4096 * (len(_MEMORY) + 1)
        _MEMORY[self.address] = np.zeros(size // 4, np.float32)

    def __int__(self) -> int:
        return self.address

    def free(self) -> None:
        _MEMORY[self.address] = np.zeros(0, np.float32)


class Primary:
    depth = 0

    def push(self) -> None:
        Primary.depth += 1

    def pop(self) -> None:
        Primary.depth -= 1

    def detach(self) -> None:
        pass


def _to_device(memory: Memory, host: np.ndarray, stream: Any) -> None:
    assert Primary.depth == 1
    _MEMORY[int(memory)][: host.size] = host


def _to_host(host: np.ndarray, memory: Memory, stream: Any) -> None:
    host[:] = _MEMORY[int(memory)][: host.size]


class Engine:
    num_io_tensors = property(lambda self: len(self.names))

    def __init__(self, model: bytes, batch_max: int) -> None:
        self.model, self.batch_max = model, batch_max
        self.session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        self.inputs = [value.name for value in self.session.get_inputs()]
        self.names = self.inputs + [value.name for value in self.session.get_outputs()]

    def get_tensor_name(self, index: int) -> str:
        return self.names[index]

    def get_tensor_mode(self, name: str) -> str:
        return "in" if name in self.inputs else "out"

    def get_tensor_dtype(self, name: str) -> str:
        return "float32"

    def create_execution_context(self) -> Context:
        return Context(self)


class Context:
    def __init__(self, engine: Engine) -> None:
        self.engine, self.addresses, self.shape = engine, {}, ()

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        assert shape[0] <= self.engine.batch_max
        self.shape = shape
        results = self.engine.session.run(None, {name: np.zeros(shape, np.float32)})
        self.shapes = {name: shape} | dict(zip(self.engine.names[1:], (r.shape for r in results), strict=True))
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.shapes[name]

    def set_tensor_address(self, name: str, address: int) -> None:
        self.addresses[name] = address

    def execute_async_v3(self, handle: int) -> bool:
        name = self.engine.inputs[0]
        batch = _MEMORY[self.addresses[name]][: int(np.prod(self.shape))].reshape(self.shape)
        for output, values in zip(self.engine.names[1:], self.engine.session.run(None, {name: batch}), strict=True):
            _MEMORY[self.addresses[output]][: values.size] = values.ravel()
        return True


class Fake:
    """What was asked of the fake TensorRT: how often it built, with which flags, from which network."""

    def __init__(self, version: str) -> None:
        self.version, self.builds, self.network_flags, self.fp16, self.built_from = version, 0, 0, False, b""
        self.fail_build = False


def install(monkeypatch: pytest.MonkeyPatch, version: str, gpu: str = "Fake GPU") -> Fake:
    """Puts the fake modules in place of ``tensorrt`` and ``pycuda.driver``."""
    fake, major = Fake(version), int(version.split(".")[0])
    _MEMORY.clear()
    Primary.depth = 0
    stamp = f"{version}|".encode()

    class Network:
        model, batch_max = b"", 0

        def get_input(self, index: int) -> Any:
            return SimpleNamespace(name=onnx.load_model_from_string(self.model).graph.input[index].name)

    class Parser:
        def __init__(self, network: Network, logger: Any) -> None:
            self.network, self.num_errors = network, 0

        def parse(self, data: bytes) -> bool:
            self.network.model = data
            return True

    class Profile:
        def set_shape(self, name: str, low: list[int], best: list[int], high: list[int]) -> None:
            self.high = high

    class Config:
        profile = None

        def set_memory_pool_limit(self, pool: Any, size: int) -> None: ...

        def set_flag(self, flag: str) -> None:
            fake.fp16 = flag == "fp16"

        def add_optimization_profile(self, profile: Profile) -> None:
            self.profile = profile

    class Builder:
        def __init__(self, logger: Any) -> None: ...

        create_builder_config = staticmethod(Config)
        create_optimization_profile = staticmethod(Profile)

        def create_network(self, flags: int = 0) -> Network:
            fake.network_flags = flags
            return Network()

        def build_serialized_network(self, network: Network, config: Config) -> bytes | None:
            fake.builds += 1
            fake.built_from = network.model
            if fake.fail_build:
                return None
            high = config.profile.high[0] if config.profile else 1
            return stamp + bytes([high]) + network.model

    class Runtime:
        def __init__(self, logger: Any) -> None: ...

        def deserialize_cuda_engine(self, data: bytes) -> Engine | None:
            if not data.startswith(stamp):
                return None
            return Engine(data[len(stamp) + 1 :], data[len(stamp)])

    class Creation(IntEnum):
        EXPLICIT_BATCH = 0

    trt = ModuleType("tensorrt")
    trt.__dict__.update(
        __version__=version, Builder=Builder, OnnxParser=Parser, Runtime=Runtime, Dims=list,
        Logger=type("Logger", (), {"ERROR": 1, "__init__": lambda self, level: None}),
        BuilderFlag=SimpleNamespace(**({"FP16": "fp16"} if major < 11 else {})),
        MemoryPoolType=SimpleNamespace(WORKSPACE=0), TensorIOMode=SimpleNamespace(INPUT="in"),
        DataType=SimpleNamespace(FLOAT="float32"),
    )  # fmt: skip
    if major < 11:
        trt.NetworkDefinitionCreationFlag = Creation  # type: ignore[attr-defined]
    device = SimpleNamespace(name=lambda: gpu, compute_capability=lambda: (8, 7), retain_primary_context=Primary)
    driver = ModuleType("pycuda.driver")
    driver.__dict__.update(
        init=lambda: None, Device=lambda index: device, mem_alloc=Memory, memcpy_htod_async=_to_device,
        memcpy_dtoh_async=_to_host, pagelocked_empty=lambda count, kind: np.empty(count, kind),
        Stream=lambda: SimpleNamespace(handle=1, synchronize=lambda: None),
    )  # fmt: skip
    package = ModuleType("pycuda")
    package.driver = driver  # type: ignore[attr-defined]
    for name, module in (("tensorrt", trt), ("pycuda", package), ("pycuda.driver", driver)):
        monkeypatch.setitem(sys.modules, name, module)
    from face_af_inference.runtimes import tensorrt_native

    monkeypatch.setattr(tensorrt_native, "LOGGERS", [])
    return fake
