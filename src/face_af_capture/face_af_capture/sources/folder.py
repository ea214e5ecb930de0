"""A folder of images, played in the order of their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event

from face_af_common.encodings import BGR, ImageError
from face_af_common.image_files import FOREIGN_SUFFIXES, IMAGE_SUFFIXES, read_image
from face_af_common.natural_order import natural

from ..params import CaptureNodeParams
from .base import DEFAULT_RATE, EndOfSource, Frame, Pace, SourceError


class ImageFolder:
    """Images of a folder, not of folders in it; broken ones are left out. With ``loop``, every round sees new ones."""

    mismatches: Sequence[str] = ()

    def __init__(self, params: CaptureNodeParams, stop: Event) -> None:
        self._folder = Path(params.device).expanduser()
        self._loop = params.loop
        self._pace = Pace(params.rate or DEFAULT_RATE, stop)
        self.notes: list[str] = []
        self._broken: set[str] = set()
        self._left = self._paths()
        self._count = 0

    @property
    def name(self) -> str:
        return f"{self._folder} at {self._pace.rate:g}/s"

    @property
    def period(self) -> float:
        return self._pace.period

    def _paths(self) -> list[Path]:
        """The images still to come, the last one first."""
        if not self._folder.is_dir():
            raise SourceError(f"there is no folder {self._folder}")
        paths = [path for path in self._folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES | FOREIGN_SUFFIXES]
        if not paths:
            raise SourceError(f"there are no images in {self._folder}")
        return sorted(paths, key=lambda path: natural(path.name), reverse=True)

    def read(self, buffer: BGR | None) -> Frame:
        acquired = self._pace.wait()
        while True:
            if not self._left:
                self._next_round()
            image = self._load(self._left.pop())
            if image is not None:
                self._count += 1
                return Frame(image, acquired)

    def _next_round(self) -> None:
        if self._count == 0:
            raise SourceError(f"none of the images in {self._folder} can be read")
        if not self._loop:
            raise EndOfSource(f"{self._folder} has ended after {self._count} frames")
        self._left = self._paths()
        self._count = 0

    def _load(self, path: Path) -> BGR | None:
        try:
            return read_image(path)
        except ImageError as error:
            if path.name not in self._broken:
                self._broken.add(path.name)
                self.notes.append(f"{error}; it is left out")
            return None

    def interrupt(self) -> None:
        """A folder does not hang."""

    def close(self) -> None:
        """Nothing is open between two frames."""
