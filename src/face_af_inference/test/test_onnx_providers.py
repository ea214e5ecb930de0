"""ONNX Runtime's own TensorRT and CUDA providers, its session replaced."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from face_af_inference.runtimes import ModelError, open_runner

sys.path.insert(0, str(Path(__file__).parent))
from networks import one_line, tiny


class Session:
    """Stands in for ``onnxruntime.InferenceSession`` on a machine with a GPU."""

    refuses_cache = False
    asked: list[object] = []  # noqa: RUF012

    def __init__(self, model: bytes, options: object, providers: list[object]) -> None:
        import onnxruntime

        Session.asked.append(providers)
        self.first = providers[0][0] if isinstance(providers[0], tuple) else providers[0]
        if Session.refuses_cache and isinstance(providers[0], tuple) and "trt_engine_cache_path" in providers[0][1]:
            raise RuntimeError("the engine does not deserialize")
        self.real = onnxruntime.capi.onnxruntime_inference_collection.InferenceSession(
            model, providers=["CPUExecutionProvider"]
        )

    def get_providers(self) -> list[str]:
        return [self.first]

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)


@pytest.fixture
def gpu_session(monkeypatch: pytest.MonkeyPatch) -> type[Session]:
    import onnxruntime

    monkeypatch.setattr(Session, "asked", [])
    monkeypatch.setattr(Session, "refuses_cache", False)
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    monkeypatch.setattr(
        onnxruntime,
        "get_available_providers",
        lambda: ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"],
    )
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None, raising=False)
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    return Session


def test_auto_prefers_the_tensorrt_provider_and_onnxruntime_needs_no_engine(
    gpu_session: type[Session], tmp_path: Path
) -> None:
    lines: list[str] = []
    assert open_runner(tiny(), cache_dir=tmp_path, on_progress=lines.append).name == "onnxruntime-tensorrt"
    assert any("engine" in line for line in lines)
    assert open_runner(tiny(), runtime="onnxruntime").name == "onnxruntime-cuda"


def test_provider_with_damaged_or_unwritable_cache(gpu_session: type[Session], tmp_path: Path) -> None:
    gpu_session.refuses_cache = True
    lines: list[str] = []
    open_runner(tiny(), runtime="onnxruntime-tensorrt", cache_dir=tmp_path, on_progress=lines.append)
    assert any("trying without" in line for line in lines)
    occupied = tmp_path / "file"
    occupied.write_text("", encoding="utf-8")
    lines.clear()
    open_runner(tiny(), runtime="onnxruntime-tensorrt", cache_dir=occupied, on_progress=lines.append)
    assert any("cannot be kept" in line for line in lines)


def test_provider_that_silently_falls_back_is_an_error(
    gpu_session: type[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "get_providers", lambda self: ["CPUExecutionProvider"])
    with pytest.raises(ModelError) as error:
        open_runner(tiny(), runtime="onnxruntime-cuda")
    assert "does not start" in one_line(error)
    lines: list[str] = []
    assert open_runner(tiny(), on_progress=lines.append).name == "onnxruntime-cpu"
    assert len([line for line in lines if "next runtime" in line]) == 2
