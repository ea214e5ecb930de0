"""The nodes that the simulated graph lacks, in a process beside it: capture, outputs and speaker."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from . import material

CAPTURE = "/others/capture"
"""Away from the graph, whose frames come from the stage."""
NODES = (CAPTURE, "outputs", "speaker")


@contextlib.contextmanager
def other_nodes(folder: Path) -> Iterator[Path]:
    """Yields the log of the process."""
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / "photo.png"), np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8))
    given = {
        "capture:source": "file", "capture:device": material.video(folder / "photo.png", folder / "clip.avi", 40),
        "capture:loop": "true", "speaker:source": material.sound(folder / "sound.wav", 20.0), "speaker:loop": "true",
        "outputs:gpio": "terminal",
    }  # fmt: skip
    command = [
        *("ros2", "run", "face_af_common", "container", "capture", "outputs", "speaker", "--ros-args"),
        *("-r", "__ns:=/face_af", "-r", "capture:__ns:=/others"),
        *(part for name, value in given.items() for part in ("-p", f"{name}:={value}")),
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
