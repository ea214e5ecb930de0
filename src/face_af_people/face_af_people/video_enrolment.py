"""A person out of a video or a live stream: the clearest face of the clearest track, shown before it is enrolled."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from face_af_common.image_files import VIDEO_SUFFIXES

from .face_tracks import FaceTrack, is_stream, tracks
from .photos import PhotoError, Picture

if TYPE_CHECKING:
    from face_af_perception.analyser import FaceAnalyser

LEAST_QUALITY = 0.15
"""Of a face that is worth enrolling, 0 to 1."""
STREAM_S = 10.0
"""Seconds of a stream that are looked at unless told."""
MOST = 9
"""Tracks that are shown to choose from."""
_SIDE = 128
_COLUMNS = 24

Ask = Callable[[str], str]


def is_video(source: str) -> bool:
    """Whether an input is a video, a camera or a stream rather than a photograph."""
    return is_stream(source) or Path(source).suffix.lower() in VIDEO_SUFFIXES


def clearest(analyser: FaceAnalyser, source: str, seconds: float, most: int) -> list[FaceTrack]:
    """The tracks of a video or stream, the one with most clear looks first. Raises :class:`PhotoError`."""
    found = tracks(analyser, source, most=most, seconds=seconds or (STREAM_S if is_stream(source) else 0.0))
    found = [track for track in found if track.faces[0].quality >= LEAST_QUALITY]
    if not found:
        raise PhotoError(f"{source}: no face that is clear enough was found")
    return sorted(found, key=lambda track: -track.total)[:MOST]


def chosen(found: Sequence[FaceTrack], name: str, *, yes: bool = False, ask: Ask = input) -> FaceTrack | None:
    """The track that the user means, after a look at it; None where it is none of them.

    ``yes``: the first one, unasked. Raises :class:`PhotoError` where nobody can be asked.
    """
    if yes:
        return found[0]
    if not sys.stdin.isatty() and ask is input:
        raise PhotoError("there is no terminal to ask whose face it is: look first, or say --yes")
    with tempfile.TemporaryDirectory(prefix="face_af_") as folder:  # for its owner alone
        sheet = Path(folder) / "faces.png"
        sheet.write_bytes(cv2.imencode(".png", drawn(found))[1].tobytes())
        for number, track in enumerate(found, 1):
            if sys.stdout.isatty():
                print(in_characters(track.faces[0].chip.picture))
            print(f"{number}: quality {track.faces[0].quality:.2f}, frame {track.faces[0].index}")
        print(f"shown in {sheet} until you have answered")
        others = f", 1 to {len(found)} for another" if len(found) > 1 else ""
        answer = ask(f"enrol number 1 as {name}? y{others}, or n: ").strip().lower()
    if answer in ("y", "yes"):
        return found[0]
    return found[int(answer) - 1] if answer.isdecimal() and 1 <= int(answer) <= len(found) else None


def drawn(found: Sequence[FaceTrack]) -> Picture:
    """The best face of each track with its number, side by side."""
    cells = []
    for number, track in enumerate(found, 1):
        cell = np.asarray(cv2.resize(track.faces[0].chip.picture, (_SIDE, _SIDE)), np.uint8)
        for shade, width in (((0, 0, 0), 5), ((255, 255, 255), 2)):
            cv2.putText(cell, str(number), (6, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.9, shade, width, cv2.LINE_AA)
        cells.append(cell)
    return np.hstack(cells)


def in_characters(picture: Picture) -> str:
    """A picture for a terminal: two pixels a character, in 24-bit colour."""
    small = cv2.resize(picture, (_COLUMNS, _COLUMNS), interpolation=cv2.INTER_AREA)
    lines = []
    for upper, lower in zip(small[::2].tolist(), small[1::2].tolist(), strict=True):
        cells = (
            f"\x1b[38;2;{r};{g};{b};48;2;{red};{green};{blue}m\u2580"
            for (b, g, r), (blue, green, red) in zip(upper, lower, strict=True)
        )
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines)
