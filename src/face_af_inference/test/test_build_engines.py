"""build_engines: what it prints, and its one line for a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from face_af_inference import build_engines
from face_af_inference.manifest import load_manifest
from face_af_inference.model_files import find


def test_reports_each_network_on_the_cpu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if any(find(load_manifest().entry(name), []) is None for name in ("centerface", "dlib")):
        pytest.skip("the packages with the embedded models are not installed")
    options = ["--detector", "centerface", "--embedder", "dlib", "--width", "128", "--height", "96", "--batch", "2"]
    assert build_engines.main([*options, "--runtime", "onnxruntime-cpu", "--cache-dir", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "centerface: onnxruntime-cpu, 1x3x96x128" in lines[0] and "dlib: onnxruntime-cpu, 2x3x150x150" in lines[1]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--detector", "yolo"], "there is no detector 'yolo'"),
        (["--manifest", "absent.yaml"], "absent.yaml"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert build_engines.main([*arguments, "--runtime", "onnxruntime-cpu"]) == 1
    error = capsys.readouterr().err
    assert word in error and error.count("\n") == 1


def test_sizes_must_fit_the_network() -> None:
    with pytest.raises(SystemExit):
        build_engines.main(["--width", "100"])
