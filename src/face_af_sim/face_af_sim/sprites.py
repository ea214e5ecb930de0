"""Pictures with a soft edge that are painted many times: prepared once, quick to put down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.images import BGR

_CLEAR, _OPAQUE = 8, 252
"""Alpha up to the first is painted as nothing, from the second on as opaque."""


@dataclass(frozen=True)
class Sprite:
    """A picture (H x W x 3) to be painted on pictures of one width: opaque pixels by mask, the soft ones one by one.

    ``alpha`` (H x W) is 0 where nothing is painted and 255 where it is opaque.
    """

    colour: BGR
    alpha: NDArray[np.uint8]
    _rows: NDArray[np.intp]
    """Where the soft bytes of each row begin; one more than there are rows."""
    _columns: NDArray[np.intp]
    """The column of each soft byte; like the next three."""
    _places: NDArray[np.intp]
    """Its distance from the sprite's first byte, in the picture."""
    _soft: NDArray[np.uint16]
    """Its colour, already multiplied by its opacity (0 to 256)."""
    _rest: NDArray[np.uint16]

    @property
    def height(self) -> int:
        return int(self.alpha.shape[0])

    @property
    def width(self) -> int:
        return int(self.alpha.shape[1])

    @classmethod
    def of(cls, colour: BGR, alpha: NDArray[np.uint8], picture_width: int) -> Sprite:
        """For pictures of ``picture_width`` pixels; takes ``colour`` as it is."""
        clean = alpha.copy()
        clean[alpha <= _CLEAR] = 0
        clean[alpha >= _OPAQUE] = 255
        y, x = np.nonzero((clean > 0) & (clean < 255))
        weight = (clean[y, x].astype(np.uint32) * 256 + 127) // 255
        rows = 3 * np.searchsorted(y, np.arange(clean.shape[0] + 1))
        places = 3 * (y * picture_width + x)
        return cls(
            colour,
            clean,
            np.asarray(rows, np.intp),
            np.repeat(x, 3),
            (places[:, None] + np.arange(3)).ravel(),
            (colour[y, x] * weight[:, None]).astype(np.uint16).ravel(),
            np.repeat((256 - weight).astype(np.uint16), 3),
        )

    def paint(self, picture: BGR, left: int, top: int) -> None:
        """Onto a contiguous picture of the sprite's picture width; parts of it may lie outside."""
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(picture.shape[1], left + self.width), min(picture.shape[0], top + self.height)
        if x1 <= x0 or y1 <= y0:
            return
        first, last = int(self._rows[y0 - top]), int(self._rows[y1 - top])
        soft: slice | NDArray[np.intp] = slice(first, last)
        if x1 - x0 != self.width:
            columns = self._columns[first:last]
            soft = first + np.flatnonzero((columns >= x0 - left) & (columns < x1 - left))
        pixels = picture.reshape(-1)
        places = self._places[soft] + 3 * (top * picture.shape[1] + left)
        blended = (self._soft[soft] + pixels.take(places) * self._rest[soft]) >> 8
        rows, columns_seen = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
        # the mask takes the soft pixels along; what belongs there was computed before
        cv2.copyTo(self.colour[rows, columns_seen], self.alpha[rows, columns_seen], picture[y0:y1, x0:x1])
        pixels[places] = blended.astype(np.uint8)


@dataclass(frozen=True)
class Layer:
    """What is always drawn the same way over a whole picture, as strips."""

    _strips: tuple[tuple[int, Sprite], ...]

    @classmethod
    def of(cls, draw: Callable[[BGR], None], width: int, height: int) -> Layer:
        """What ``draw`` does to pictures of that size; it must not depend on what it is drawn over."""
        black, white = np.zeros((height, width, 3), np.uint8), np.full((height, width, 3), 255, np.uint8)
        draw(black)
        draw(white)
        # over black there is only the drawing's share left, over white the share of what lies below comes on top
        alpha = 255 - (white[..., 1] - black[..., 1])
        colour = np.clip(black.astype(np.float32) * 255 / np.maximum(alpha, 1)[..., None] + 0.5, 0, 255)
        used = np.flatnonzero((alpha > _CLEAR).any(axis=1))
        strips = np.split(used, np.flatnonzero(np.diff(used) > 1) + 1) if len(used) else []
        return cls(
            tuple(
                (int(rows[0]), Sprite.of(colour[rows].astype(np.uint8), np.ascontiguousarray(alpha[rows]), width))
                for rows in strips
            )
        )

    def paint(self, picture: BGR) -> None:
        for top, strip in self._strips:
            strip.paint(picture, 0, top)
