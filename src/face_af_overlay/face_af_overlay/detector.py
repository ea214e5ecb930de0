"""The detector: every AF box in a picture, whole frame, no help from faces."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.types import AfBox, AfState, Box

from .colours import state_of
from .corners import measure
from .outline import Flaw, Outline, Rejection, examine
from .params import OverlayParams
from .rectangles import Candidates, Limits, propose
from .thin_lines import LineFinder, Reach

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
        self._lines = LineFinder()

    def detect(self, bgr: NDArray[np.uint8]) -> list[AfBox]:
        """All AF boxes in ``bgr`` (H x W x 3, uint8), surest first; :class:`PictureError` for anything else."""
        return self.inspect(bgr).boxes

    def inspect(self, bgr: NDArray[np.uint8]) -> Findings:
        """Like :meth:`detect`, and says what was rejected and why."""
        check_picture(bgr)
        shrink = max(1, round(bgr.shape[0] / 1080))
        work = _reduced(np.ascontiguousarray(bgr), shrink)
        scale = work.shape[0] / 1080
        findings = Findings()
        candidates = self._candidates(work, scale)
        good: list[tuple[AfBox, Outline]] = []
        for rect, colour in zip(candidates.rects, candidates.colours, strict=True):
            if any(_same(rect, box.box) for box, _ in good):
                continue
            left, top, right, bottom = (int(v) for v in rect)
            looked: Outline | Rejection | None = examine(
                work, (left, top, right, bottom), colour, self.params.shape, scale
            )
            if isinstance(looked, Outline):
                looked = self._judge(looked, good, work.shape, scale)
            if isinstance(looked, Rejection):
                findings.rejected.append(looked)
        good.sort(key=lambda pair: -pair[0].confidence)
        for box, outline in good:
            findings.boxes.append(AfBox(box.state, box.box.scaled(shrink), box.confidence))
            findings.outlines.append(outline)
        return findings

    def _candidates(self, work: NDArray[np.uint8], scale: float) -> Candidates:
        """Rectangles worth a close look."""
        params = self.params
        reach = Reach.at(scale)
        found = self._lines.find(work, reach, max(params.contrast.line - 4, 2))
        limits = Limits(
            round(params.shape.min_size * scale - 4),
            round(params.shape.max_size * scale + 4),
            params.shape.max_aspect * _TOO_LONG,
            round(params.contrast.uniform),
        )
        return propose(work, measure(work, found, reach, params.max_corners), limits, reach, _MOST)

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


def _reduced(picture: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    if factor == 1:
        return picture
    size = max(1, picture.shape[1] // factor), max(1, picture.shape[0] // factor)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _same(rect: NDArray[np.int32], box: Box) -> bool:
    left, top, right, bottom = rect
    return max(abs(left - box.x), abs(top - box.y), abs(right - box.right), abs(bottom - box.bottom)) < 7


_MOST = 24
"""Rectangles looked at closely in one frame, at most."""
_TOO_LONG = 1.3
"""Rectangles longer than allowed by up to this factor are looked at, to say so in the debug picture."""
