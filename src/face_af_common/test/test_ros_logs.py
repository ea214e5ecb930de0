"""A home that is read-only keeps no node from starting."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from face_af_common.ros_logs import find_log_folder


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ROS_LOG_DIR", "ROS_HOME"):
        monkeypatch.setenv(name, "")  # and is as it was afterwards
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_a_folder_that_can_be_written_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_HOME", str(tmp_path / "new"))
    find_log_folder()
    assert os.environ["ROS_LOG_DIR"] == "" and list((tmp_path / "new" / "log").iterdir()) == []


def test_one_that_cannot_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    find_log_folder()
    chosen = Path(os.environ["ROS_LOG_DIR"])
    assert chosen.parent == tmp_path and chosen.stat().st_mode & 0o077 == 0
    find_log_folder()
    assert Path(os.environ["ROS_LOG_DIR"]) == chosen
