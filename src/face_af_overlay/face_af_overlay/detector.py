"""The detector: every AF box in a picture, whole frame, no help from faces."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.types import AfBox, AfState, Box

from .colours import state_of
from .corners import CornerFinder
from .outline import Flaw, Outline, Rejection, examine
from .params import OverlayParams
from .rectangles import propose, rank, sketch

__all__ = ["AfBoxDetector", "Findings", "OverlayParams", "PictureError"]


class PictureError(ValueError):
    """Not a picture that can be looked at; the text says why."""


@dataclass(frozen=True)
class Findings:
    """Boxes found, with their outlines, and the rectangles that were looked at and rejected."""

    boxes: list[AfBox] = field(default_factory=list)
    outlines: list[Outline] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


class AfBoxDetector:
    """Finds AF boxes. Not for several threads at once: it keeps working memory between frames."""

    def __init__(self, params: OverlayParams | None = None) -> None:
        self.params = params or OverlayParams()
        self._corners = CornerFinder()

    def detect(self, bgr: NDArray[np.uint8]) -> list[AfBox]:
        """All AF boxes in ``bgr`` (H x W x 3, uint8), surest first; :class:`PictureError` for anything else."""
        return self.inspect(bgr).boxes

    def inspect(self, bgr: NDArray[np.uint8]) -> Findings:
        """Like :meth:`detect`, and says what was rejected and why."""
        check_picture(bgr)
        params = self.params
        shrink = max(1, round(bgr.shape[0] / 1080))
        work = bgr
        if shrink > 1:
            size = max(1, bgr.shape[1] // shrink), max(1, bgr.shape[0] // shrink)
            work = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
        scale = work.shape[0] / 1080
        across = max(5, round(6 * scale))
        contrast, shape = params.contrast, params.shape
        corners = self._corners.find(
            np.ascontiguousarray(work), contrast.line, contrast.along, across, params.max_corners
        )
        low, high = shape.min_size * scale, shape.max_size * scale
        rects, colours = propose(corners, low, high, shape.max_aspect * _TOO_LONG, contrast.uniform)
        findings = Findings()
        if not len(rects):
            return findings
        good: list[tuple[AfBox, Outline]] = []
        green, red = self._corners.green, self._corners.red
        order = rank(green, red, rects, colours, across, _MOST)
        order = order[sketch(green, red, rects[order], colours[order], across)]
        for i in order:
            rect, colour = rects[i], colours[i]
            if any(_same(rect, box.box) for box, _ in good):
                continue
            left, top, right, bottom = (int(v) for v in rect)
            looked: Outline | Rejection | None = examine(work, (left, top, right, bottom), colour, shape, scale)
            if isinstance(looked, Outline):
                looked = self._judge(looked, good, work.shape, scale)
            if isinstance(looked, Rejection):
                findings.rejected.append(looked)
        good.sort(key=lambda pair: -pair[0].confidence)
        for box, outline in good:
            findings.boxes.append(AfBox(box.state, box.box.scaled(shrink), box.confidence))
            findings.outlines.append(outline)
        return findings

    def _judge(
        self, outline: Outline, good: list[tuple[AfBox, Outline]], size: tuple[int, ...], scale: float
    ) -> Rejection | None:
        params = self.params
        box = outline.box
        if max(box.width, box.height) > params.shape.max_aspect * min(box.width, box.height):
            return Rejection(box, Flaw.ASPECT, f"{box.width:.0f} x {box.height:.0f}")
        if min(box.width, box.height) < params.shape.min_size * scale - 1:
            return Rejection(box, Flaw.SIZE, f"{box.width:.0f} x {box.height:.0f}")
        margin = params.shape.edge_margin * scale
        if box.x < margin or box.y < margin or box.right > size[1] - margin or box.bottom > size[0] - margin:
            return Rejection(box, Flaw.EDGE_MARGIN)
        state = state_of(outline.colour, outline.shown, params.colour)
        if state == AfState.NONE:
            return Rejection(box, Flaw.COLOUR, "Y {:.0f} Cr {:.0f} Cb {:.0f}".format(*outline.colour))
        confidence = outline.agreement * (0.5 + 0.5 * outline.visible)
        if confidence < params.min_confidence:
            return Rejection(box, Flaw.WEAK, f"{confidence:.2f}")
        rivals = [i for i, (other, _) in enumerate(good) if other.box.iou(box) > 0.45]
        if any(good[i][0].confidence >= confidence for i in rivals):
            return None
        for i in reversed(rivals):
            del good[i]
        good.append((AfBox(state, box, confidence), outline))
        return None


def check_picture(bgr: NDArray[np.uint8]) -> None:
    """:class:`PictureError` unless ``bgr`` is a picture of H x W x 3 uint8 with something in it."""
    if not isinstance(bgr, np.ndarray) or bgr.dtype != np.uint8 or bgr.ndim != 3 or bgr.shape[2] != 3:
        got = f"{bgr.dtype} {bgr.shape}" if isinstance(bgr, np.ndarray) else type(bgr).__name__
        raise PictureError(f"a BGR picture (height x width x 3, uint8) is needed, got {got}")
    if bgr.size == 0:
        raise PictureError(f"the picture is empty ({bgr.shape[1]}x{bgr.shape[0]})")


def _same(rect: NDArray[np.int32], box: Box) -> bool:
    left, top, right, bottom = rect
    return max(abs(left - box.x), abs(top - box.y), abs(right - box.right), abs(bottom - box.bottom)) < 7


_MOST = 14
"""Rectangles looked at closely in one frame, at most."""
_TOO_LONG = 1.3
"""Rectangles longer than allowed by up to this factor are looked at, to say so in the debug picture."""
