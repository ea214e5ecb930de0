"""``sim.launch.py`` started by hand: it brings its own gallery."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from processes import needs_samples, ros2, started

from face_af_common.ros_domain import free_port

pytestmark = [needs_samples, pytest.mark.timeout(300)]


def test_the_target_is_enrolled_and_recognised(tmp_path: Path) -> None:
    command = ["ros2", "launch", "face_af", "sim.launch.py", "debug:=false", f"camera_port:={free_port()}"]
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with started(command, tmp_path / "log", TMPDIR=str(temporary)) as run:
        echo = ("topic", "echo", "--no-daemon", "--once")
        assert run.until(lambda: "identity: obama" in ros2(run, *echo, "/face_af/faces"), 200), run.output()
        assert "target: obama" in ros2(run, *echo, "/face_af/state")
        assert list(temporary.glob("face_af_gallery_*"))
        run.process.send_signal(signal.SIGINT)
        assert run.gone(25), run.output()
    assert not list(temporary.glob("face_af_*")), "nobody's face stays behind"


def test_a_show_without_people_ends_with_a_line(tmp_path: Path) -> None:
    command = ["ros2", "launch", "face_af", "sim.launch.py", f"people:={tmp_path / 'nobody'}"]
    with started(command, tmp_path / "log") as run:
        run.process.wait(timeout=120)
        assert "there is no folder" in run.output()
        assert "Traceback" not in run.output()
