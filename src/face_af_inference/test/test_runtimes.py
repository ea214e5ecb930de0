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
import fake_tensorrt
from networks import tiny


def batch_of(count: int, size: int = 8) -> np.ndarray:
    return np.random.default_rng(5).normal(0, 1, (count, 3, size, size)).astype(np.float32)


def one_line(error: pytest.ExceptionInfo[ModelError]) -> str:
    text = str(error.value)
    assert text and "\n" not in text
    return text


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


# ---- native TensorRT, on a stand-in that computes with ONNX Runtime --------------------------------


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


# ---- ONNX Runtime's own TensorRT provider, its session replaced -----------------------------------


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


@pytest.mark.parametrize(("version", "spins"), [("1.31.1", "1"), ("2.0.0", "1"), ("1.30.9", "0"), ("1.19.2.dev1", "0")])
def test_threads_stay_awake_only_where_that_can_be_limited(version: str, spins: str) -> None:
    class Options:
        def __init__(self) -> None:
            self.entries: dict[str, str] = {}

        def add_session_config_entry(self, key: str, value: str) -> None:
            self.entries[key] = value

    options = Options()
    onnx_runtime._limit_spinning(options, version)
    assert options.entries["session.intra_op.allow_spinning"] == spins
    assert ("session.intra_op.spin_duration_us" in options.entries) == (spins == "1")
