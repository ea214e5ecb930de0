"""Tools as users start them: processes of their own, on a good set of files, writing into a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from face_af_common.files import PART

from . import material

_MARK = "FACE_AF_HOSTILE"


@dataclass(frozen=True)
class Tool:
    """``arguments``: ``{out}`` is the folder that it writes into, ``{good}`` that of the good files."""

    package: str
    name: str
    arguments: str

    def command(self, good: Path, out: Path) -> list[str]:
        words = [word.format(good=good, out=out) for word in self.arguments.split()]
        if self.name == "demo":
            return ["python", "-m", "face_af_sim.demo", *words]
        return ["ros2", "run", self.package, self.name, *words]


PEOPLE, RECORDING = "face_af_people", "face_af_recording"
ENROL = Tool(PEOPLE, "enrol", "{good}/photos --name bert --largest --gallery {out}/g")
IDENTIFY = Tool(PEOPLE, "identify", "{good}/photos --gallery {good}/gallery --json {out}/x.json --annotate {out}/a")
VIDEO = Tool(PEOPLE, "identify", "{good}/clip.mp4 --gallery {good}/gallery --csv {out}/x.csv --annotate {out}/a")
TUNE = Tool(RECORDING, "tune", "{good}/bag --param steering.confirm_frames=1:3:1 --out {out}/t")
REPLAY = Tool(RECORDING, "replay", "{good}/clip.avi --report {out}/r.json --results {out}/r.jsonl")
RECORD = Tool(RECORDING, "recorder", "--ros-args -p folder:={out}/bag")
DEMO = Tool("", "demo", "--out {out} --duration 4 --headless --no-page --record {out}/bag --report {out}/r.json")
WRITERS = (
    ENROL, IDENTIFY, VIDEO, TUNE, REPLAY,
    Tool(PEOPLE, "people", "export ann {out}/ann.zip --gallery {good}/gallery"),
    Tool(PEOPLE, "extract", "{good}/photos {good}/clip.mp4 --out {out}/x"),
    Tool(PEOPLE, "map", "{good}/gallery --out {out}/m"),
    Tool(PEOPLE, "train", "{good}/gallery --method nearest --report {out}/t"),
    Tool(PEOPLE, "evaluate", "--people {good}/people --json {out}/e.json --plots {out}/p --repeats 2"),
    Tool("face_af_overlay", "classify", "{good}/photo.jpg --annotate {out}/c"),
    Tool("face_af_overlay", "calibrate", "{good}/box.png --box active_focus,400,300,90,90 --output {out}/preset.yaml"),
    Tool("nikon_mcn10_driver", "profiles", "share {good}/profile.yaml -o {out}/p.yaml"),
    Tool("face_af_crops", "crops", "{good}/clip.mp4 --ref {good}/photos --out {out}/crops"),
    DEMO,
)  # fmt: skip


def prepare(folder: Path) -> Path:
    """The good files that the tools above name."""
    import shutil

    import cv2
    import numpy as np

    from face_af_common.paths import share_dir
    from face_af_people.enrol import main as enrol

    folder.mkdir(parents=True, exist_ok=True)
    photos = material.photographs(folder / "photos")
    for name, chosen in (("ann", photos[::2]), ("bert", photos[1::2])):
        (folder / "people" / name).mkdir(parents=True)
        for photo in chosen:
            shutil.copyfile(photo, folder / "people" / name / photo.name)
    enrol(["--gallery", str(folder / "gallery"), "--name", "ann", "--largest", *map(str, photos)])
    material.video(photos[0], folder / "clip.mp4", 30)
    material.video(photos[0], folder / "clip.avi", 30)
    material.bag(folder / "bag", photos[0], 60)
    shutil.copyfile(photos[0], folder / "photo.jpg")
    frame = np.full((1080, 1920, 3), (50, 70, 80), np.uint8)
    frame[300:390, 400:490] = (140, 220, 40)
    frame[303:387, 403:487] = (50, 70, 80)
    cv2.imwrite(str(folder / "box.png"), frame)
    shutil.copyfile(share_dir() / "config" / "remote" / "virtual_z8.yaml", folder / "profile.yaml")
    return folder


@dataclass(frozen=True)
class Ended:
    """How a process ended: its status, what it said on both outputs, and when."""

    status: int
    text: str
    seconds: float
    left: tuple[str, ...] = ()
    """Commands of processes that it left behind."""


def started(command: Sequence[str], log: Path, mark: str, **options: str) -> subprocess.Popen[bytes]:
    """In a session of its own; whatever it starts in turn is known by ``mark``."""
    with log.open("wb") as out:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            env={**os.environ, _MARK: mark, "PYTHONUNBUFFERED": "1", **options}, cwd=log.parent,
        )  # fmt: skip


def finished(process: subprocess.Popen[bytes], log: Path, mark: str, patience_s: float) -> Ended:
    """Waits; kills what is left, and says so."""
    began = time.monotonic()
    while time.monotonic() - began < patience_s and (process.poll() is None or survivors(mark)):
        time.sleep(0.02)
    seconds = time.monotonic() - began
    left = survivors(mark)
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    status = process.wait()
    return Ended(status, log.read_text(errors="replace"), seconds, tuple(left.values()))


def survivors(mark: str) -> dict[int, str]:
    """Processes that were started, directly or not, with this mark."""
    found = {}
    wanted = f"{_MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if words:  # else it has ended and waits to be asked about
                        found[int(entry.name)] = words[:200]
            except OSError:
                continue
    return found


def leftovers(out: Path) -> list[str]:
    """Temporary files that should be gone."""
    head, tail = PART.split("{}")
    return [path.name for path in out.rglob("*") if path.name.startswith(head) and tail in path.name]
