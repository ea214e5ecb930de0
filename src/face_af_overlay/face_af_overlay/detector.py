"""The detector: every AF box in a picture, whole frame, no help from faces."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.types import AfBox, AfState

from .colours import state_of
from .compiled import readable
from .corner_style import tells_sharp
from .corners import measure
from .outline import Examiner, Flaw, Outline, Rejection
from .params import OverlayParams
from .rectangles import Candidates, Limits, propose
from .rounded_corners import measure_rounded
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
    scale: float = 1.0
    """Height of the frame as it was looked at, over 1080; outlines are in its pixels."""


class AfBoxDetector:
    """Finds AF boxes. Not for several threads at once: it keeps working memory between frames."""

    def __init__(self, params: OverlayParams | None = None) -> None:
        self.params = params or OverlayParams()
        self._lines = LineFinder()
        self._examiner = Examiner()

    def warm_up(self) -> None:
        """Reads the compiled loops from their cache, about a second, so that the first frame need not wait.

        What is not there yet is compiled, which takes half a minute once on a machine.
        """
        self.inspect(example())
        self.inspect(rounded_example())

    def detect(self, bgr: NDArray[np.uint8]) -> list[AfBox]:
        """All AF boxes in ``bgr`` (H x W x 3, uint8), surest first; :class:`PictureError` for anything else."""
        return self.inspect(bgr, explain=False).boxes

    def inspect(self, bgr: NDArray[np.uint8], *, explain: bool = True, rounded: bool = True) -> Findings:
        """Like :meth:`detect`, and says what was rejected and, if ``explain``, why.

        ``rounded``: also look for rounded corners where no box found has sharp ones.
        """
        check_picture(bgr)
        work, shrink, candidates = self.propose(bgr)
        findings = self._examine(work, shrink, candidates, explain)
        if rounded and not any(tells_sharp(outline, findings.scale) for outline in findings.outlines):
            more = self.propose_rounded(work)
            if len(more):
                # all at once where boxes must be told apart
                both = candidates.joined(more) if findings.boxes or explain else more
                findings = self._examine(work, shrink, both, explain)
        return findings

    def _examine(self, work: NDArray[np.uint8], shrink: int, candidates: Candidates, explain: bool) -> Findings:
        outlines, rejected = self._examiner.examine(
            work, candidates, self.params, work.shape[0] / 1080, explain=explain
        )
        findings = Findings(rejected=rejected, scale=work.shape[0] / 1080)
        for outline in outlines:
            state = state_of(outline.colour, outline.shown, self.params.colour)
            if state == AfState.NONE:
                detail = "Y {:.0f} Cr {:.0f} Cb {:.0f}".format(*outline.colour)
                rejected.append(Rejection(outline.box, Flaw.COLOUR, detail))
                continue
            findings.boxes.append(AfBox(state, outline.box.scaled(shrink), outline.confidence))
            findings.outlines.append(outline)
        return findings

    def propose(self, bgr: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int, Candidates]:
        """The picture as it is looked at, how many times smaller it is, and rectangles worth a close look."""
        shrink = max(1, round(bgr.shape[0] / 1080))
        work = _reduced(readable(bgr), shrink)
        return work, shrink, self._candidates(work, work.shape[0] / 1080)

    def _candidates(self, work: NDArray[np.uint8], scale: float) -> Candidates:
        """Rectangles worth a close look."""
        params = self.params
        reach = Reach.at(scale)
        found = self._lines.find(work, reach, max(params.contrast.line - 4, 2))
        return propose(work, measure(work, found, reach, params.max_corners), self._limits(scale), reach, _MOST)

    def propose_rounded(self, work: NDArray[np.uint8]) -> Candidates:
        """Rectangles with rounded corners in the frame that was proposed from last."""
        scale, limits = work.shape[0] / 1080, self._limits(work.shape[0] / 1080)
        reach, least = Reach.at(scale), max(self.params.contrast.line - 2, _LEAST_ROUND)
        largest = round(_ROUNDEST * limits.high)
        # half as many as of sharp ones: on generated frames more found no further box, and cost as much again
        corners = measure_rounded(work, self._lines.lines, reach, least, largest, self.params.max_corners // 2)
        return propose(work, corners, limits, reach, _MOST // 2)

    def _limits(self, scale: float) -> Limits:
        params = self.params
        return Limits(
            round(params.shape.min_size * scale - 4),
            round(params.shape.max_size * scale + 4),
            params.shape.max_aspect * _TOO_LONG,
            round(params.contrast.uniform),
        )


def example() -> NDArray[np.uint8]:
    """A gray picture with a closed white box and a green one of brackets: what every loop is needed for."""
    picture = np.full((1080, 1920, 3), 60, np.uint8)
    cv2.rectangle(picture, (800, 400), (900, 500), (245, 245, 245), 3)
    left, top, right, bottom, arm = 1200, 500, 1320, 620, 35
    for x, inwards in ((left, arm), (right, -arm)):
        for y, down in ((top, arm), (bottom, -arm)):
            cv2.line(picture, (x, y), (x + inwards, y), (60, 220, 60), 3)
            cv2.line(picture, (x, y), (x, y + down), (60, 220, 60), 3)
    return picture


def rounded_example() -> NDArray[np.uint8]:
    """A gray picture with two white boxes, one of four rounded brackets: what the loops for rounded corners are
    needed for."""
    picture = np.full((1080, 1920, 3), 60, np.uint8)
    radius, white = 25, (245, 245, 245)
    for left, top, right, bottom, arm in ((800, 400, 1000, 600, 65), (1200, 500, 1340, 640, 70)):
        for x, y, inwards, down, start in (
            (left, top, 1, 1, 180), (right, top, -1, 1, 270), (right, bottom, -1, -1, 0), (left, bottom, 1, -1, 90)
        ):  # fmt: skip
            cv2.line(picture, (x + inwards * radius, y), (x + inwards * arm, y), white, 3)
            cv2.line(picture, (x, y + down * radius), (x, y + down * arm), white, 3)
            middle = (x + inwards * radius, y + down * radius)
            cv2.ellipse(picture, middle, (radius, radius), start, 0, 90, white, 3, cv2.LINE_AA)
    return picture


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


_MOST = 48
"""Rectangles looked at closely in one frame, at most."""
_TOO_LONG = 1.3
"""Rectangles longer than allowed by up to this factor are looked at, to say so in the debug picture."""
_ROUNDEST = 0.27
"""Largest offset of rounded corners as a share of the longest side: radii are a quarter of it at most."""
_LEAST_ROUND = 8
"""Least strength of the lines of rounded corners, levels: below, there are too many by chance."""
