"""Our TensorRT calls against the real signatures, from the package ``tensorrt-stubs``; needs no TensorRT."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from face_af_inference.runtimes import tensorrt_native

ROOT = Path(__file__).resolve().parents[3]


def _stub_folder() -> Path:
    spec = importlib.util.find_spec("tensorrt_bindings")
    folder = Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else Path()
    if not (folder / "tensorrt.pyi").is_file():
        pytest.skip("tensorrt-stubs is not installed")
    return folder


def test_calls_have_the_signatures_of_the_stubs(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    stubs = (_stub_folder() / "tensorrt.pyi").read_text(encoding="utf-8")
    # two slips in the published file: parameters called `in`, and a default before a parameter without one
    stubs = re.sub(r"\bin: list", "inputs: list", stubs)
    stubs = stubs.replace("power: Weights = None, channel_axis: int)", "power: Weights = None, channel_axis: int = 0)")
    package = tmp_path / "tensorrt"
    package.mkdir()
    (package / "__init__.pyi").write_text(stubs + "\n__version__: str\n", encoding="utf-8")
    config = tmp_path / "mypy.ini"
    config.write_text(
        "[mypy]\ncheck_untyped_defs = true\nnamespace_packages = true\nexplicit_package_bases = true\n"
        "[mypy-pycuda.*]\nignore_missing_imports = true\n[mypy-onnx.*,onnxruntime.*,ament_index_python.*,yaml.*]\n"
        "ignore_missing_imports = true\nfollow_imports = skip\n",
        encoding="utf-8",
    )
    path = os.pathsep.join(
        [str(tmp_path), *(str(ROOT / "src" / name) for name in ("face_af_inference", "face_af_common"))]
    )
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(config), "--cache-dir", str(tmp_path / "cache"),
         str(Path(tensorrt_native.__file__).resolve())],
        env={**os.environ, "MYPYPATH": path}, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    ours = [line for line in result.stdout.splitlines() if "tensorrt_native.py" in line and ": error:" in line]
    assert result.returncode in (0, 1), result.stdout[-2000:] + result.stderr[-2000:]
    assert not ours, "\n".join(ours)
    if "Success" not in result.stdout:
        assert "tensorrt_native" not in result.stdout, result.stdout[-2000:]
