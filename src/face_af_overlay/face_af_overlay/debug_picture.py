"""The picture with what the detector found and what it rejected, and why."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.types import AfBox, Box

from .outline import Flaw, Rejection

ACCEPTED = (0, 255, 0)
FLAW_COLOURS: dict[Flaw, tuple[int, int, int]] = {
    Flaw.ASPECT: (0, 0, 255),
    Flaw.EDGE_MARGIN: (0, 255, 255),
    Flaw.FILLED: (255, 255, 0),
    Flaw.THICK: (255, 255, 0),
    Flaw.BROKEN: (255, 0, 255),
    Flaw.FAINT: (200, 120, 255),
    Flaw.EXTENDED: (0, 140, 255),
    Flaw.GRID: (0, 140, 255),
    Flaw.ROUND: (0, 140, 255),
    Flaw.SIZE: (0, 0, 255),
    Flaw.COLOUR: (255, 80, 0),
    Flaw.UNEVEN: (120, 120, 255),
}
"""Blue, green, red of each reason."""


def debug_picture(
    bgr: NDArray[np.uint8], boxes: Sequence[AfBox], rejected: Sequence[Rejection], most: int = 40
) -> NDArray[np.uint8]:
    """A copy of ``bgr`` with accepted boxes in green and at most ``most`` rejected ones in their reason's colour."""
    picture = bgr.copy()
    unit = max(0.5, bgr.shape[0] / 1080)
    shown: list[Box] = []
    captions: list[Box] = []
    for rejection in rejected:
        if len(shown) >= most or any(rejection.box.iou(box) > 0.8 for box in shown):
            continue
        shown.append(rejection.box)
        text = rejection.flaw.value + (f": {rejection.detail}" if rejection.detail else "")
        _frame(picture, rejection.box, FLAW_COLOURS[rejection.flaw], text, unit, 1, captions)
    for box in boxes:
        name = f"{box.state.name} {box.confidence:.2f}" + (f" #{box.id}" if box.id else "")
        _frame(picture, box.box, ACCEPTED, name, unit, 2, captions)
    return picture


def _frame(
    picture: NDArray[np.uint8],
    box: Box,
    colour: tuple[int, int, int],
    text: str,
    unit: float,
    thick: int,
    captions: list[Box],
) -> None:
    """A frame a few pixels outside the box, so that the box's own lines stay to be seen, and a caption.

    ``captions``: those that are there already; one without a free place is left out, as the colour tells the reason.
    """
    gap = 4 * unit
    left, top, bottom = round(box.x - gap), round(box.y - gap), round(box.bottom + gap)
    cv2.rectangle(picture, (left, top), (round(box.right + gap), bottom), colour, thick)
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * unit, thick + 2)
    left = max(0, min(left, picture.shape[1] - width))
    for baseline in (round(top - 4 * unit), round(bottom + 4 * unit) + height):
        space = Box(left, baseline - height, width, height + below)
        inside = space.y >= 0 and space.bottom <= picture.shape[0]
        if inside and all(space.iou(other) == 0 for other in captions):
            captions.append(space)
            for ink, stroke in (((0, 0, 0), thick + 2), (colour, thick)):
                cv2.putText(
                    picture, text, (left, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.5 * unit, ink, stroke, cv2.LINE_AA
                )
            return
