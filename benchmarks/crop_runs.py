"""Runs of the crops tool, what they wrote, and long videos for them."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2

from face_af_crops.video import open_video

FIRST_VISIT, FIRST_FACE, ROOM = (6.0, 19.6), 190, "intel_one-by-one-person.mp4"
"""Seconds in which the room has its first person, and the frame with the clearest view of the face, read by eye."""

Report = dict[str, Any]


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def crops(video: Path, reference: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(video, reference, out, *options), capture_output=True, text=True, check=False)


def command(video: Path, reference: Path, out: Path, *options: str) -> list[str]:
    return [
        sys.executable, "-m", "face_af_crops.crops", str(video), "--ref", str(reference), "--out", str(out), *options
    ]  # fmt: skip


def repeated(source: Path, target: Path, seconds: float) -> Path:
    """``source`` again and again, at least ``seconds`` long, by copying its packets."""
    import av

    with av.open(str(source)) as once, av.open(str(target), "w") as out:
        stream: Any = once.streams.video[0]
        copy: Any = out.add_stream_from_template(stream)
        packets: list[Any] = [p for p in once.demux(stream) if p.dts is not None]
        length = max(p.pts for p in packets) - min(p.pts for p in packets) + (packets[0].duration or 1)
        stamps = [(p.pts, p.dts) for p in packets]
        for n in range(max(1, round(seconds / float(length * stream.time_base) + 0.5))):
            for packet, (pts, dts) in zip(packets, stamps, strict=True):
                packet.pts, packet.dts, packet.stream = pts + n * length, dts + n * length, copy
                out.mux(packet)
                packet.stream = stream
    return target


def first_person(media: Path, work: Path) -> Path:
    """An image of the first person who enters the room."""
    image = work / "first.png"
    frame = next(iter(open_video(media / ROOM).frames(FIRST_FACE, FIRST_FACE + 1)))
    cv2.imwrite(str(image), frame.image())
    return image
