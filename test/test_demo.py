"""The whole loop as processes over DDS: the demo against the simulated stage and the virtual Z8."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import cv2
import pytest
from processes import PYTHON, needs_samples, started

pytestmark = [needs_samples, pytest.mark.timeout(300)]

DEMO = [PYTHON, "-m", "face_af_sim.demo", "--headless"]


def check(out: Path) -> dict[str, float]:
    report: dict[str, float] = json.loads((out / "report.json").read_text())
    assert report["frames"] == 240
    assert report["on_target"] >= 0.8
    assert report["wrong_identity"] == 0
    assert report["recognised"] > 0.8
    assert 1 <= report["presses"] <= 20
    assert cv2.imread(str(out / "timeline.png")) is not None
    return report


def test_lockstep_with_the_embedded_models(tmp_path: Path) -> None:
    command = [*DEMO, "--lockstep", "--embedded", "--duration", "8", "--out", str(tmp_path / "out")]
    with started(command, tmp_path / "log") as run:
        assert run.process.wait(timeout=280) == 0, run.output()
        assert run.gone(5.0)
    assert "centerface" in str(check(tmp_path / "out")["models"])
    video = cv2.VideoCapture(str(tmp_path / "out/demo.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_HEIGHT) == 720
    assert video.read()[0]


@pytest.mark.skipif(
    not os.environ.get("FACE_AF_MODEL_DIR"), reason="FACE_AF_MODEL_DIR names no folder with SCRFD and MobileFaceNet"
)
def test_lockstep_with_scrfd_and_mobilefacenet(tmp_path: Path) -> None:
    command = [*DEMO, "--lockstep", "--no-video", "--duration", "8", "--out", str(tmp_path / "out")]
    with started(command, tmp_path / "log") as run:
        assert run.process.wait(timeout=280) == 0, run.output()
    assert "scrfd" in str(check(tmp_path / "out")["models"])


@pytest.mark.parametrize("moment", ["at once", "while it starts", "in the middle"])
def test_ctrl_c_leaves_no_process(tmp_path: Path, moment: str) -> None:
    command = [*DEMO, "--no-video", "--embedded", "--duration", "60", "--out", str(tmp_path / "out")]
    with started(command, tmp_path / "log") as run:
        if moment == "at once":
            time.sleep(0.7)
        elif moment == "while it starts":
            assert run.wait_for("starting the graph", 60), run.output()
            time.sleep(1.0)
        else:
            assert run.wait_for("fps", 120), run.output()
        os.kill(run.process.pid, signal.SIGINT)
        assert run.gone(20.0), f"left: {run.descendants()}"
        assert "Traceback" not in run.output()
        if moment == "in the middle":
            assert json.loads((tmp_path / "out/report.json").read_text())["frames"] > 0


def test_killing_the_demo_leaves_no_process_either(tmp_path: Path) -> None:
    command = [*DEMO, "--no-video", "--embedded", "--duration", "60", "--out", str(tmp_path / "out")]
    with started(command, tmp_path / "log") as run:
        assert run.wait_for("waiting for the first frame", 60), run.output()
        time.sleep(2.0)
        os.kill(run.process.pid, signal.SIGKILL)
        assert run.gone(20.0), f"left: {run.descendants()}"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--people", "/no/such/folder"], "there is no folder /no/such/folder"),
        (["--target", "nobody"], "the target of the sample stage is"),
        (["--duration", "0"], "--duration must be above 0"),
        (["gallery"], "is not of the form name:=value"),
        (["params_file:=/no/such.yaml"], "/no/such.yaml: cannot be read"),
        (["clock:=sundial"], "sundial"),
    ],
)
def test_a_wrong_wish_is_refused_in_one_line(tmp_path: Path, arguments: list[str], told: str) -> None:
    with started([*DEMO, "--out", str(tmp_path / "out"), *arguments], tmp_path / "log") as run:
        assert run.process.wait(timeout=60) != 0
        complaints = [line for line in run.output().splitlines() if told in line]
        assert len(complaints) == 1, run.output()
        assert "Traceback" not in run.output()
