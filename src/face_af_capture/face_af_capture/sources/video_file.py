"""A video file at its own rate, which may vary."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from face_af_common.encodings import BGR

from ..params import CaptureNodeParams
from .base import EndOfSource, Frame, Pace, SourceError, sane_rate

LONGEST_GAP = 300
"""So many frames in a row may be damaged before the rest is given up."""
LONGEST_PAUSE_S = 10.0
"""A recording of a screen may show one frame for seconds; a longer pause is a damaged time."""


class VideoFile:
    """Plays the file, again and again with ``loop``. What cannot be decoded is left out and told once."""

    mismatches: Sequence[str] = ()

    def __init__(self, params: CaptureNodeParams, stop: Event) -> None:
        self._path = Path(params.device).expanduser()
        self._loop = params.loop
        if not self._path.is_file():
            raise SourceError(f"there is no video file {self._path}")
        self._capture = self._open()
        import cv2

        self._expected = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._duration = self._expected / rate if rate > 0 else 0.0
        self._own_times = not params.rate
        self._pace = Pace(params.rate or sane_rate(rate), stop)
        self._size = (0, 0)
        self._count = self._holes = 0
        self._time = 0.0
        self.notes: list[str] = []
        # phones store what they have filmed in portrait lying, and OpenCV turns it: only a frame knows the size
        self._first = self._decode(None)

    @property
    def name(self) -> str:
        return f"{self._path.name} {self._size[0]}x{self._size[1]} at {self._pace.rate:g}/s"

    @property
    def period(self) -> float:
        return self._pace.period

    def _open(self) -> Any:
        # FFmpeg's own complaints, a line for every broken macroblock, would bury ours
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        import cv2

        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"{self._path} cannot be read as a video; is it damaged, or something else?")
        return capture

    def read(self, buffer: BGR | None) -> Frame:
        decoded, self._first = self._first or self._decode(buffer), None
        if decoded is None:
            self._end_of_round()
            decoded = self._decode(buffer)
            if decoded is None:
                raise SourceError(f"no frame in {self._path} can be decoded")
        image, pause = decoded
        return Frame(image, self._pace.wait(pause))

    def _decode(self, buffer: BGR | None) -> tuple[BGR, float] | None:
        """The next frame that can be decoded, and the seconds after the one before; None at the end."""
        import cv2

        for tried in range(LONGEST_GAP):
            ok, image = self._capture.read(buffer)
            if ok:
                self._holes += tried
                before, self._time = self._time, float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1e3
                pause = self._time - before if self._own_times and self._count else 0.0
                self._count += 1
                self._size = (image.shape[1], image.shape[0])
                return np.asarray(image, np.uint8), pause if 0 < pause <= LONGEST_PAUSE_S else 1 / self._pace.rate
            if self._count + self._holes + tried + 1 >= self._expected:
                break
        return None

    def _end_of_round(self) -> None:
        """Says how much could be read, and begins again or raises EndOfSource."""
        count, holes, reached = self._count, self._holes, self._time
        self._count, self._holes, self._time = 0, 0, 0.0
        if count == 0:
            raise SourceError(f"no frame in {self._path} can be decoded")
        # containers count roughly, and too many where the rate varies: then it is the time that tells
        few = count < self._expected * 0.95 - 2
        if few and (holes or reached < self._duration * 0.95 - 0.1):
            note = f"{self._path} is damaged: {count} of {self._expected} frames could be read"
            if note not in self.notes:
                self.notes.append(note)
        if not self._loop:
            raise EndOfSource(f"{self._path.name} has ended after {count} frames")
        self._capture.release()
        self._capture = self._open()

    def interrupt(self) -> None:
        """A file does not hang."""

    def close(self) -> None:
        self._capture.release()
