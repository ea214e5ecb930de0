"""The choice of a runtime, ONNX Runtime itself, and changes to graphs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from face_af_inference.runtimes import ModelError, graph, onnx_runtime, open_runner

sys.path.insert(0, str(Path(__file__).parent))
from networks import batch_of, one_line, tiny


def complaint(model: bytes) -> str:
    try:
        open_runner(model, runtime="onnxruntime-cpu").run(batch_of(1))
    except ModelError as error:
        return str(error)
    return ""


# ---- ONNX Runtime --------------------------------------------------------------------------------


def test_nobody_is_told_which_models_run_here(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(tiny())
    code = (
        "import sys; from pathlib import Path; from face_af_inference.runtimes import open_runner;"
        "open_runner(Path(sys.argv[1]), runtime='onnxruntime-cpu')"
    )
    # with these it is silent by itself
    unset = ("CI", "ORT_RUNNING_UNIT_TESTS", "ORT_DISABLE_TELEMETRY")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "model.onnx")], env=environment, check=True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["model.onnx"]


def test_auto_says_which_runtime_runs() -> None:
    runner = open_runner(tiny())
    assert runner.name.startswith(("onnxruntime", "tensorrt"))
    assert runner.input_shape == (1, 3, 8, 8) and runner.output_names == ("y",)
    assert runner.run(batch_of(1))[0].shape == (1, 4, 8, 8)
    runner.close()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_fixed_batch_is_run_piece_by_piece(count: int) -> None:
    batch = batch_of(count)
    free = open_runner(tiny("n"), runtime="onnxruntime-cpu").run(batch)[0]
    for size in (1, 4):
        assert np.allclose(open_runner(tiny(size), runtime="onnxruntime-cpu").run(batch)[0], free, atol=1e-6)


@pytest.mark.parametrize("wrong", [(1, 3, 9, 8), (1, 4, 8, 8), (3, 8, 8), (0, 3, 8, 8)])
def test_wrong_input_is_one_line(wrong: tuple[int, ...]) -> None:
    with pytest.raises(ModelError) as error:
        open_runner(tiny(), runtime="onnxruntime").run(np.zeros(wrong, np.float32))
    assert "1x3x8x8" in one_line(error)


def test_wrong_type_is_one_line() -> None:
    with pytest.raises(ModelError) as error:
        open_runner(tiny(), runtime="onnxruntime").run(np.zeros((1, 3, 8, 8)))  # type: ignore[arg-type]
    assert "float64" in one_line(error)


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04" * 40, b"\xff" * 1000, tiny()[:80], b"GIF89a", "ONNX? no".encode("utf-16")]
)
def test_foreign_or_truncated_file_is_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelError) as error:
        open_runner(path)
    assert "broken.onnx" in one_line(error)


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(1, len(tiny()) - 1), flip=st.integers(0, len(tiny()) - 1))
def test_damaged_bytes_never_raise_anything_else(cut: int, flip: int) -> None:
    damaged = bytearray(tiny())
    damaged[flip] ^= 0x55
    for data in (tiny()[:cut], bytes(damaged)):
        assert "\n" not in complaint(data)


def test_missing_file_and_unknown_runtime(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        open_runner(tmp_path / "absent.onnx")
    assert "absent.onnx" in one_line(error)
    with pytest.raises(ModelError) as error:
        open_runner(tiny(), runtime="openvino")
    assert "onnxruntime-cuda" in one_line(error)
    with pytest.raises(ModelError):
        open_runner(tiny(), precision="int8")


def test_named_runtime_that_is_absent_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(ModelError) as error:
        open_runner(tiny(), runtime="tensorrt")
    assert "not installed" in one_line(error)


def test_stubs_alone_are_no_tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import ModuleType

    from face_af_inference.runtimes import tensorrt_native

    monkeypatch.setitem(sys.modules, "tensorrt", ModuleType("tensorrt"))
    assert "not installed" in tensorrt_native.missing()


# ---- changes to graphs ---------------------------------------------------------------------------


def test_open_size_takes_any_size() -> None:
    data = graph.edited(tiny(batch=10, size=32), ("dynamic_size",))
    runner = open_runner(data, runtime="onnxruntime-cpu")
    assert runner.input_shape == (1, 3, None, None)
    assert runner.run(batch_of(1, 20))[0].shape == (1, 4, 20, 20)


def test_open_batch_also_opens_reshapes() -> None:
    data = graph.edited(tiny(reshape_to=(1, -1)), ("dynamic_batch",))
    runner = open_runner(data, runtime="onnxruntime-cpu")
    batch = batch_of(5)
    one_by_one = np.concatenate(
        [open_runner(tiny(reshape_to=(1, -1)), runtime="onnxruntime-cpu").run(batch[i : i + 1])[0] for i in range(5)]
    )
    assert np.allclose(runner.run(batch)[0], one_by_one, atol=1e-6)


def test_unknown_change_is_one_line() -> None:
    with pytest.raises(ModelError) as error:
        graph.edited(tiny(), ("faster",))
    assert "dynamic_size" in one_line(error)


def test_half_precision_keeps_the_numbers_and_the_interface() -> None:
    proto = graph.parse(tiny("n", reshape_to=(0, -1)))
    graph.half(proto)
    assert {t.data_type for t in proto.graph.initializer if t.name in "wb"} == {TensorProto.FLOAT16}
    batch = batch_of(3)
    want = open_runner(tiny("n", reshape_to=(0, -1)), runtime="onnxruntime-cpu").run(batch)[0]
    got = open_runner(proto.SerializeToString(), runtime="onnxruntime-cpu").run(batch)[0]
    assert got.dtype == np.float32 and np.allclose(got, want, atol=5e-3)


MODELS = os.environ.get("FACE_AF_MODEL_DIR", "")


@pytest.mark.parametrize("name", ["scrfd_2.5g_bnkps", "mobilefacenet_128", "centerface", "dlib"])
def test_half_precision_of_the_real_networks(name: str) -> None:
    from face_af_inference.manifest import load_manifest
    from face_af_inference.model_files import find

    spec = find(load_manifest().entry(name), [Path(MODELS)] if MODELS else [])
    if spec is None:
        pytest.skip(f"{name} is not here (FACE_AF_MODEL_DIR)")
    proto = graph.parse(spec.network())
    sizes = graph.fix_size(proto, (64, 96))
    shape = (2 if sizes[0] is None else sizes[0], *(s or 1 for s in sizes[1:]))
    span = 255.0 if name == "centerface" else 1.0
    batch = np.random.default_rng(1).uniform(0, span, shape).astype(np.float32)
    want = open_runner(proto.SerializeToString(), runtime="onnxruntime-cpu").run(batch)
    graph.half(proto)
    got = open_runner(proto.SerializeToString(), runtime="onnxruntime-cpu").run(batch)
    for a, b in zip(want, got, strict=True):
        assert np.abs(a - b).max() < 0.02 * max(1.0, np.abs(a).max())


@pytest.mark.parametrize(("version", "spins"), [("1.31.1", "1"), ("2.0.0", "1"), ("1.30.9", "0"), ("1.19.2.dev1", "0")])
def test_threads_stay_awake_only_where_that_can_be_limited(version: str, spins: str) -> None:
    class Options:
        def __init__(self) -> None:
            self.entries: dict[str, str] = {}

        def add_session_config_entry(self, key: str, value: str) -> None:
            self.entries[key] = value

    options = Options()
    onnx_runtime.limit_spinning(options, version)
    assert options.entries["session.intra_op.allow_spinning"] == spins
    assert ("session.intra_op.spin_duration_us" in options.entries) == (spins == "1")
