"""The parameter file that is written from the code passes its own check, without rclpy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from face_af.parameters import main
from face_af_common.node_params import NODES
from face_af_common.param_files import check_file
from face_af_common.params import ParamError


def test_written_file_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--yaml"]) == 0
    path = tmp_path / "all.yaml"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    check_file(path, NODES)
    assert main(["--check", str(path)]) == 0


def test_tables_name_every_node(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--markdown"]) == 0
    out = capsys.readouterr().out
    assert all(f"## {node}\n" in out for node in NODES)


def test_unknown_node_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--yaml", "stering"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_wrong_key_names_file_and_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("/**/steering:\n  ros__parameters:\n    confrm_frames: 3\n", encoding="utf-8")
    with pytest.raises(ParamError):
        check_file(path, NODES)
    assert main(["--check", str(path)]) == 2
    assert "confrm_frames" in capsys.readouterr().err


def test_needs_no_rclpy() -> None:
    code = (
        "import sys; sys.modules['rclpy'] = None\n"
        "from face_af_common.node_params import NODES\n"
        "assert [NODES[name] for name in NODES]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_node_whose_package_is_not_built_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "capture" in NODES
    monkeypatch.setitem(sys.modules, "face_af_capture", None)
    monkeypatch.delitem(sys.modules, "face_af_capture.params", raising=False)
    assert "capture" not in NODES and "capture" not in list(NODES)
    with pytest.raises(KeyError):
        NODES["capture"]
