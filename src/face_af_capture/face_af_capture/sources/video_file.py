"""A video file at its own rate."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

from ..params import CaptureNodeParams
from .base import BGR, EndOfSource, Frame, Pace, SourceError, sane_rate

LONGEST_GAP = 300
"""So many pictures in a row may be damaged before the rest is given up."""


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
        self._pace = Pace(params.rate or sane_rate(self._capture.get(cv2.CAP_PROP_FPS)), stop)
        self._size = tuple(int(self._capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        self._count = self._gaps = 0
        self.notes: list[str] = []

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
        acquired = self._pace.wait()
        picture = self._next(buffer)
        if picture is None:
            self._end_of_round()
            picture = self._next(buffer)
            if picture is None:
                raise SourceError(f"no picture in {self._path} can be decoded")
        return Frame(picture, acquired)

    def _next(self, buffer: BGR | None) -> BGR | None:
        """The next picture that can be decoded; None at the end."""
        for _ in range(LONGEST_GAP):
            ok, picture = self._capture.read(buffer)
            if ok:
                self._count += 1
                result: BGR = picture
                return result
            if self._count + self._gaps >= self._expected:
                break
            self._gaps += 1
        return None

    def _end_of_round(self) -> None:
        """Says how much could be read, and begins again or raises EndOfSource."""
        count, self._count, self._gaps = self._count, 0, 0
        if count == 0:
            raise SourceError(f"no picture in {self._path} can be decoded")
        # containers count roughly; a few missing pictures are no damage
        if count < self._expected * 0.95 - 2:
            note = f"{self._path} is damaged: {count} of {self._expected} pictures could be read"
            if note not in self.notes:
                self.notes.append(note)
        if not self._loop:
            raise EndOfSource(f"{self._path.name} has ended after {count} pictures")
        self._capture.release()
        self._capture = self._open()

    def interrupt(self) -> None:
        """A file does not hang."""

    def close(self) -> None:
        self._capture.release()
