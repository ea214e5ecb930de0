"""Colour ranges for a camera, learned while it runs: a person taps a box and says what the camera shows there."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from face_af_common.types import AfState, Box

from .calibrate import drawn_colour, propose
from .colours import Colour
from .compiled import readable
from .detector import AfBoxDetector
from .params import OverlayNodeParams

_KEPT = 10
"""Taps of each state that count."""
_FINGER = 0.25
"""A finger may miss a box by this share of its size."""


class TapError(ValueError):
    """There is no box to learn from; one line."""


class TapCalibration:
    """Remembers the colours of the boxes that were tapped."""

    def __init__(self) -> None:
        self._colours: dict[AfState, deque[Colour]] = {}

    def tap(
        self, bgr: NDArray[np.uint8], x: float, y: float, state: AfState, params: OverlayNodeParams
    ) -> dict[str, float]:
        """Colour parameters (flat names) by which the box at ``x``, ``y`` of ``bgr`` shows ``state``.

        ``bgr``: H x W x 3 uint8. Raises :class:`TapError`, and ``PictureError``.
        """
        bgr = readable(bgr)  # else the loops would be compiled anew, which takes seconds
        boxes = outlined(bgr, x, y, params)
        if not boxes:
            raise TapError("there is no box at this place; tap on it or right beside it")
        colour = next((found for box in boxes if (found := drawn_colour(bgr, box, params)) is not None), None)
        if colour is None:
            raise TapError("the outline at this place is not clear enough to learn from")
        self._colours.setdefault(state, deque(maxlen=_KEPT)).append(colour)
        return propose({known: list(colours) for known, colours in self._colours.items()}, params)


def outlined(bgr: NDArray[np.uint8], x: float, y: float, params: OverlayNodeParams) -> list[Box]:
    """Rectangles at a point, the smallest first, whatever colour they are drawn in."""
    found = AfBoxDetector(params).inspect(bgr)
    shrink = max(1, round(bgr.shape[0] / 1080))
    boxes = [box.box for box in found.boxes] + [rejection.box.scaled(shrink) for rejection in found.rejected]
    return sorted((box for box in boxes if box.grown(_FINGER).contains(x, y)), key=lambda box: box.area)
