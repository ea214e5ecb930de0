"""Native TensorRT: engines are built, kept and built again; on a stand-in that computes with ONNX Runtime."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from face_af_inference.runtimes import ModelError, graph, open_runner

sys.path.insert(0, str(Path(__file__).parent))
import fake_tensorrt
from networks import batch_of, one_line, tiny


@pytest.mark.parametrize("version", ["8.6.2", "10.3.0", "11.4.0"])
@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_tensorrt_builds_caches_and_runs(
    version: str, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_tensorrt.install(monkeypatch, version)
    lines: list[str] = []
    model = tiny("n")
    want = open_runner(model, runtime="onnxruntime-cpu").run(batch_of(11))[0]
    for _ in range(2):
        runner = open_runner(model, runtime="auto", precision=precision, cache_dir=tmp_path, on_progress=lines.append)
        assert runner.name == f"tensorrt {version} {precision}"
        for count in (1, 3, 8, 11):
            assert np.allclose(runner.run(batch_of(11)[:count])[0], want[:count], atol=5e-3)
        runner.close()
    assert fake.builds == 1 and len(list(tmp_path.iterdir())) == 1
    assert any("builds an" in line for line in lines) and any("built in" in line for line in lines)
    assert fake.network_flags == (1 if version.startswith("8") else 0)
    assert fake.fp16 == (precision == "fp16" and not version.startswith("11"))
    weights = graph.parse(fake.built_from).graph.initializer[0].data_type
    in_weights = precision == "fp16" and version.startswith("11")
    assert weights == (TensorProto.FLOAT16 if in_weights else TensorProto.FLOAT)


def test_engine_is_built_again_for_anything_that_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(version: str = "10.3.0", gpu: str = "Orin", model: bytes = tiny("n"), **more: object) -> int:
        fake = fake_tensorrt.install(monkeypatch, version, gpu)
        open_runner(model, runtime="tensorrt", cache_dir=tmp_path, **more).close()  # type: ignore[arg-type]
        return fake.builds

    variants = [
        {}, {"version": "10.4.0"}, {"gpu": "Xavier"}, {"model": tiny("n", size=16)}, {"precision": "fp32"},
        {"batch_max": 16}, {"model": tiny("n", size="s"), "shape": (32, 64)},
        {"model": tiny("n", size="s"), "shape": (64, 64)},
    ]  # fmt: skip
    assert [build(**variant) for variant in variants] == [1] * len(variants)
    assert [build(**variant) for variant in variants] == [0] * len(variants)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign", "folder", "header"])
def test_damaged_engine_is_told_and_built_again(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_tensorrt.install(monkeypatch, "10.3.0")
    open_runner(tiny("n"), runtime="tensorrt", cache_dir=tmp_path).close()
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[:-7]
    elif damage == "flip":
        data[-5] ^= 1
    elif damage == "empty":
        data = bytearray()
    elif damage == "foreign":
        data = bytearray(b"\x00\xff" * 300)
    elif damage == "header":
        data = data.replace(b"10.3.0", b"10.3.1")
    path.unlink()
    path.mkdir() if damage == "folder" else path.write_bytes(data)
    lines: list[str] = []
    runner = open_runner(tiny("n"), runtime="tensorrt", cache_dir=tmp_path, on_progress=lines.append)
    assert runner.run(batch_of(2))[0].shape == (2, 4, 8, 8)
    assert fake.builds == 2 and path.name in lines[0] and "again" in lines[0]


def test_whole_engine_that_does_not_load_is_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from face_af_inference.runtimes.engine_cache import EngineCache

    fake = fake_tensorrt.install(monkeypatch, "10.3.0")
    monkeypatch.setattr(EngineCache, "load", lambda self, key: b"an engine of another driver")
    lines: list[str] = []
    open_runner(tiny("n"), runtime="tensorrt", cache_dir=tmp_path, on_progress=lines.append).close()
    assert fake.builds == 1 and "does not load" in lines[0]


def test_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_tensorrt.install(monkeypatch, "10.3.0")
    occupied = tmp_path / "engines"
    occupied.write_text("a file where the folder should be", encoding="utf-8")
    lines: list[str] = []
    runner = open_runner(tiny("n"), runtime="tensorrt", cache_dir=occupied / "below", on_progress=lines.append)
    assert runner.run(batch_of(1))[0].shape == (1, 4, 8, 8)
    assert fake.builds == 1 and any("cannot be kept" in line for line in lines)


def test_auto_falls_back_when_tensorrt_cannot_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_tensorrt.install(monkeypatch, "10.3.0").fail_build = True
    lines: list[str] = []
    runner = open_runner(tiny("n"), cache_dir=tmp_path, on_progress=lines.append)
    assert runner.name.startswith("onnxruntime")
    assert any("trying the next runtime" in line for line in lines)


def test_open_size_needs_a_size_to_build_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_tensorrt.install(monkeypatch, "10.3.0")
    with pytest.raises(ModelError) as error:
        open_runner(tiny("n", size="s"), runtime="tensorrt", cache_dir=tmp_path)
    assert "size" in one_line(error)
    runner = open_runner(tiny("n", size="s"), runtime="tensorrt", cache_dir=tmp_path, shape=(32, 64))
    assert runner.input_shape == (None, 3, 32, 64)
