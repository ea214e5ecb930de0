"""What a run would do with one frame under some settings, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_af_common.params import changed

from .bank import Bank
from .candidates import Candidate, encoded
from .engine import Engine, FoundFace, Image
from .main_pass import MainPass
from .preview import draw_faces
from .settings import CropSettings
from .video import Frame, VideoError, VideoFile

_QUALITY = 80


@dataclass(frozen=True)
class Tried:
    """``frame``: the annotated frame as JPEG; ``crops``: what would be cut, encoded as the settings say; ``said``: a
    line for each person."""

    time: float
    frame: bytes
    crops: tuple[Candidate, ...]
    said: tuple[str, ...]


@dataclass(frozen=True)
class _Still(VideoFile):
    """A video of one frame, decoded once."""

    frame: Frame | None = None

    def frames(self, start: int = 0, end: int | None = None, threads: int = 0, quick: bool = False) -> Any:
        return iter([self.frame])


class _Remembering(Engine):
    """Looks for faces only where frame, confidence or size have changed: the networks are what takes long."""

    def __init__(self, engine: Engine) -> None:
        self.__dict__.update(vars(engine))
        self._key: tuple[int, float, float] | None = None
        self._found: list[FoundFace] = []
        self._rows: NDArray[np.float32] | None = None
        self.index = -1

    def find(self, bgr: Image, confidence: float, smallest: float) -> list[FoundFace]:
        key = (self.index, confidence, smallest)
        if key != self._key:
            self._found, self._rows, self._key = super().find(bgr, confidence, smallest), None, key
        return self._found

    def embed(self, bgr: Image, found: Sequence[FoundFace]) -> NDArray[np.float32]:
        if self._rows is None or len(self._rows) != len(found):
            self._rows = super().embed(bgr, found)
        return self._rows


class Trial:
    """Tries settings on frames of ``video``, for the people of ``bank``."""

    def __init__(self, video: VideoFile, engine: Engine, bank: Bank) -> None:
        self.video = video
        self._engine = _Remembering(engine)
        self._bank = bank
        self._frame: Frame | None = None

    def look(self, time: float, settings: CropSettings) -> Tried:
        """The frame at ``time`` seconds, or the nearest that can be decoded after it. Raises :class:`VideoError`."""
        frame = self._frame_at(min(self.video.index_at(max(0.0, time)), self.video.count - 1))
        self._engine.index = frame.index
        still = _Still(**{**vars(self.video), "frame": frame})
        one = changed(settings, {"frame_stride": 1, "debug": True, "annot": False})
        found = MainPass(still, self._engine, self._bank, one).run(frame.index, frame.index + 1)
        seen = json.loads(found.debug[0])
        image = draw_faces(frame.image(), seen["faces"], [candidate.box for candidate in found.candidates])
        said = tuple(self._said(verdict, settings) for verdict in seen["people"])
        return Tried(frame.time, encoded(image, "jpg", _QUALITY), found.candidates, said)

    def _frame_at(self, index: int) -> Frame:
        if self._frame is None or self._frame.index != index:
            frame = next(self.video.frames(index, self.video.count), None)
            if frame is None:
                raise VideoError(f"{self.video.path}: nothing can be decoded at {self.video.time(index):.1f} s")
            self._frame = frame
        return self._frame

    @staticmethod
    def _said(verdict: dict[str, Any], settings: CropSettings) -> str:
        words = str(verdict["person"])
        if "distance" in verdict:
            words += f": similarity {1 - verdict['distance']:.2f} ({1 - settings.face_thresh:.2f} is needed)"
        if "crop" in verdict:
            _, _, width, height = verdict["crop"]
            return f"{words}; a crop of {verdict['ratio']}, {width} x {height}"
        return f"{words}; no crop: {verdict['lost']}"
