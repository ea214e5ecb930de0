"""The nodes that the simulated graph lacks, in a process beside it: capture, outputs, speaker, health and player."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import yaml

from face_af_common.files import write_text

from . import material

CAPTURE, PLAYER = "/others/capture", "/others/replay_player"
"""Away from the graph, whose frames come from the stage."""
NODES = (CAPTURE, PLAYER, "outputs", "speaker", "health")
_NAMES = ("capture", "replay_player", "outputs", "speaker", "health")


@contextlib.contextmanager
def other_nodes(folder: Path) -> Iterator[Path]:
    """Yields the log of the process."""
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / "photo.png"), np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8))
    clip = material.video(folder / "photo.png", folder / "clip.avi", 40)
    bag = material.bag(folder / "bag", folder / "photo.png")
    given = {
        "capture": {"source": "file", "device": str(clip), "loop": True},
        "speaker": {"source": str(material.sound(folder / "sound.wav", 20.0)), "loop": True},
        "outputs": {"gpio": "terminal"},
        # waits for answers that never come, and hears every stranger
        "replay_player": {"bag": str(bag), "loop": True, "start_timeout": 3600.0},
    }
    parameters = {f"/**/{name}": {"ros__parameters": values} for name, values in given.items()}
    write_text(folder / "others.yaml", yaml.safe_dump(parameters))
    command = [
        *("ros2", "run", "face_af_common", "container", *_NAMES, "--ros-args", "-r", "capture:__ns:=/others"),
        *("-r", "replay_player:__ns:=/others", "-r", "/clock:=/others/clock", "-r", "__ns:=/face_af"),
        *("--params-file", str(folder / "others.yaml")),
    ]
    log = folder / "others.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    try:
        yield log
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10.0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
