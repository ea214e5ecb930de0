"""Contact sheets: many pictures with names drawn, small, in rows; several pages where there are many."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.files import write_bytes

from .photos import Picture

WIDTH, HEIGHT = 320, 240
"""Of a cell, pixels, without its caption."""
_CAPTION = 22
_COLUMNS, _ROWS = 6, 8


def cell(picture: Picture, caption: str) -> bytes:
    """A picture fitted into a cell, with ``caption`` below, as JPEG: a thousand of them are to be kept."""
    shrink = min(WIDTH / picture.shape[1], HEIGHT / picture.shape[0])
    size = max(1, round(picture.shape[1] * shrink)), max(1, round(picture.shape[0] * shrink))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    result = np.zeros((HEIGHT + _CAPTION, WIDTH, 3), np.uint8)
    left, top = (WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2
    result[top : top + size[1], left : left + size[0]] = small
    text = caption if len(caption) <= 38 else "..." + caption[-35:]
    plain = text.encode("ascii", "replace").decode()  # OpenCV's letters
    cv2.putText(result, plain, (6, HEIGHT + 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (220, 220, 220), 1, cv2.LINE_AA)
    return cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


class ContactSheet:
    """Pages ``NAME.jpg``, ``NAME_2.jpg`` … of 48 cells. Each is written when it is full; :meth:`finish` the last."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pages = 0
        self._cells: list[NDArray[np.uint8]] = []

    def add(self, data: bytes) -> None:
        """Adds what :func:`cell` has made. Raises ``FileError`` where a page cannot be written."""
        self._cells.append(np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8))
        if len(self._cells) == _COLUMNS * _ROWS:
            self.finish()

    def finish(self) -> None:
        """Writes the page that has been begun. Raises ``FileError``."""
        if not self._cells:
            return
        empty = np.zeros_like(self._cells[0])
        columns = min(_COLUMNS, len(self._cells))
        self._cells += [empty] * (-len(self._cells) % columns)
        rows = [np.hstack(self._cells[i : i + columns]) for i in range(0, len(self._cells), columns)]
        self.pages += 1
        suffix = self.path.suffix or ".jpg"
        number = "" if self.pages == 1 else f"_{self.pages}"
        data = cv2.imencode(suffix, np.vstack(rows))[1].tobytes()
        write_bytes(self.path.with_name(f"{self.path.stem}{number}{suffix}"), data, private=True)
        self._cells = []
