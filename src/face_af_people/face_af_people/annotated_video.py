"""A video that is written beside the work, and is there whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

import cv2

from face_af_common.files import FileError, replacing

from .photos import Picture


class AnnotatedVideo:
    """Frames of one size as MP4 in ``path``. A fault is kept in ``problem``, and the frames behind it are left out."""

    def __init__(self, path: Path, rate: float) -> None:
        self.problem = ""
        self._path = path
        self._rate = rate
        self._frames = 0
        self._block = contextlib.ExitStack()
        self._writer: cv2.VideoWriter | None = None
        self._part: Path | None = None

    def write(self, picture: Picture) -> None:
        if self.problem:
            return
        try:
            if self._writer is None:
                self._part = self._block.enter_context(replacing(self._path))
                size = picture.shape[1], picture.shape[0]
                self._writer = cv2.VideoWriter(str(self._part), cv2.VideoWriter.fourcc(*"mp4v"), self._rate, size)
                if not self._writer.isOpened():
                    raise FileError(self._path, "cannot be written (no encoder for MP4, or no access)")
            self._writer.write(picture)
            self._frames += 1
        except OSError as error:
            self.problem = str(error)
            self.discard()

    def finish(self) -> None:
        """The file takes its place, if every frame is in it."""
        if self._writer is None or self._part is None or self.problem:
            return
        self._writer.release()
        try:
            # the writer tells of no error: a disk that was full shows in what can be read again
            self._check(self._part)
            self._block.close()
        except OSError as error:
            self.problem = str(error)
            self.discard()

    def discard(self) -> None:
        """Leaves nothing behind of a video that is not finished."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
        with contextlib.suppress(_Discarded), self._block:
            raise _Discarded

    def _check(self, part: Path) -> None:
        video = cv2.VideoCapture(str(part))
        counted = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 0
        video.release()
        if counted < self._frames:
            reason = f"only {counted} of {self._frames} frames are in it: make room on the disk, or write it elsewhere"
            raise FileError(self._path, reason)


class _Discarded(Exception):
    pass
