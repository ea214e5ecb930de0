"""bringup.launch.py on a recording of a real person: live parameters, bad input, faults; through the ros2 command."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from processes import Started, needs_samples, ros2, started

from face_af_common.paths import model_dirs
from face_af_gallery.gallery import Gallery
from face_af_perception.analyser import FaceAnalyser
from face_af_sim import samples

pytestmark = [needs_samples, pytest.mark.timeout(240)]

LAUNCH = ["ros2", "launch", "face_af", "bringup.launch.py"]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph that moves: 3 s at 1280x720."""
    photo = cv2.imread(str(samples.samples_dir() / "obama2.jpg"))
    photo = cv2.resize(photo, None, fx=640 / photo.shape[0], fy=640 / photo.shape[0])
    path = tmp_path_factory.mktemp("recording") / "show.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 15, (1280, 720))
    for i in range(45):
        frame = np.full((720, 1280, 3), 40, np.uint8)
        x = 40 + 4 * i
        width = min(photo.shape[1], 1280 - x)
        frame[40 : 40 + photo.shape[0], x : x + width] = photo[:, :width]
        writer.write(frame)
    writer.release()
    return path


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    analyser = FaceAnalyser.open(model_dirs=model_dirs())
    folder = tmp_path_factory.mktemp("bringup") / "gallery"
    made = Gallery.open(folder, analyser.embedder, create=True)
    picture = cv2.imread(str(samples.samples_dir() / "obama.jpg"))
    analyser.enrol(made, "obama", picture, analyser.analyse(picture)[0])
    made.save()
    return folder


@pytest.fixture
def graph(tmp_path: Path, recording: Path, gallery: Path) -> Iterator[Started]:
    arguments = ["source:=file", f"device:={recording}", "transport:=dry_run", f"gallery:={gallery}", "target:=obama"]
    parameters = tmp_path / "params.yaml"
    parameters.write_text("/**/capture:\n  ros__parameters:\n    loop: true\n")
    with started([*LAUNCH, *arguments, f"params_file:={parameters}"], tmp_path / "log") as run:
        assert run.wait_for("people in the gallery", 90), run.output()
        yield run


def test_a_recording_is_recognised_and_parameters_are_live(graph: Started) -> None:
    faces = ros2(graph, "topic", "echo", "--no-daemon", "--once", "/face_af/faces")
    assert "identity: obama" in faces
    assert "is_target: true" in faces
    assert "state:" in ros2(graph, "topic", "echo", "--no-daemon", "--once", "/face_af/state")

    accepted = ros2(graph, "param", "set", "/face_af/perception", "recognition.enter", "0.99")
    assert "successful" in accepted
    refused = ros2(graph, "param", "set", "/face_af/perception", "recognition.enter", "7.0")
    assert "recognition.enter" in refused
    assert "successful" not in refused
    assert "0.99" in ros2(graph, "param", "get", "/face_af/perception", "recognition.enter")
    expected = {f"/face_af/{n}" for n in ("capture", "perception", "overlay", "steering", "nikon_mcn10")}
    # discovery takes its time on a busy machine
    assert any(expected <= set(ros2(graph, "node", "list").split()) for _ in range(5))

    unknown = ros2(graph, "service", "call", "/face_af/set_target", "face_af_msgs/srv/SetTarget", "{identity: nobody}")
    assert "obama" in unknown, "the answer names who there is"

    os.kill(graph.process.pid, signal.SIGINT)
    assert graph.gone(20.0), f"left: {graph.descendants()}"
    assert "Traceback" not in graph.output()


def test_show_args_describes_every_argument() -> None:
    done = subprocess.run([*LAUNCH, "--show-args"], capture_output=True, text=True, timeout=60, check=True)
    for name in ("source", "device", "target", "gallery", "transport", "params_file", "namespace", "debug", "record"):
        assert f"'{name}':" in done.stdout
    assert "no description given" not in done.stdout


@pytest.mark.parametrize(
    ("yaml", "told"),
    [
        ("/**/perception:\n  ros__parameters:\n    recognition:\n      entr: 0.5\n", "did you mean recognition.enter"),
        ("/**/steering:\n  ros__parameters:\n    mode: dance\n", "mode: 'dance' is none of"),
        ("/**/percepton:\n  ros__parameters:\n    target: x\n", "there is no node /**/percepton"),
        ("perception: [", "broken YAML"),
    ],
)
def test_a_wrong_parameter_file_starts_nothing(tmp_path: Path, yaml: str, told: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml)
    with started([*LAUNCH, f"params_file:={path}", "source:=none"], tmp_path / "log") as run:
        assert run.process.wait(timeout=60) != 0
        assert len([line for line in run.output().splitlines() if told in line]) == 1, run.output()
        assert "Traceback" not in run.output()
        assert "process started" not in run.output()


@pytest.mark.parametrize("argument", ["use_composition:=maybe", "respawn:=yes", "record:=2"])
def test_what_is_neither_true_nor_false_starts_nothing(tmp_path: Path, argument: str) -> None:
    with started([*LAUNCH, argument, "source:=none"], tmp_path / "log") as run:
        assert run.process.wait(timeout=60) != 0
        assert f"{argument} is neither true nor false" in run.output()
        assert "process started" not in run.output()


def test_faults_are_one_line_each_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No camera at its port, an absent video, an empty gallery, a corrupt model: every node stays up and says so."""
    monkeypatch.delenv("FACE_AF_MODEL_DIR", raising=False)  # a good file there would be taken instead
    models = tmp_path / "models"
    models.mkdir()
    (models / "scrfd_2.5g_bnkps.onnx").write_bytes(b"not a model")
    parameters = tmp_path / "params.yaml"
    parameters.write_text(
        "/**/perception:\n  ros__parameters:\n"
        f"    model_dir: {models}\n    detector: scrfd_2.5g_bnkps\n    gallery: {tmp_path / 'none'}\n"
    )
    arguments = [
        "source:=file",
        f"device:={tmp_path / 'gone.mp4'}",
        "transport:=ptpip",
        "camera_port:=9",
        "profile:=virtual_z8",
        f"params_file:={parameters}",
    ]
    with started([*LAUNCH, *arguments], tmp_path / "log") as run:
        assert run.wait_for("no camera at 127.0.0.1:9", 60), run.output()
        assert run.wait_for("gone.mp4", 60), run.output()
        assert run.wait_for("scrfd_2.5g_bnkps.onnx", 60), run.output()
        assert "process has died" not in run.output()
        assert "Traceback" not in run.output()
        os.kill(run.process.pid, signal.SIGINT)
        assert run.gone(20.0)
