"""Which of the proposed rectangles are AF boxes, what was drawn, and why the others are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from face_af_common.types import Box

from . import evidence
from . import measure as m
from .colours import Colour
from .double_outlines import around, between_two, outdoes
from .params import OverlayParams
from .rectangles import Candidates

# a text: NumPy 1.21 has it for type checkers only
F32: TypeAlias = "NDArray[np.floating[Any]]"
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]


class Flaw(Enum):
    """Why a rectangle is no AF box."""

    ASPECT = "aspect"
    EDGE_MARGIN = "edge margin"
    FILLED = "filled"
    THICK = "thick line"
    BROKEN = "broken side"
    UNEVEN = "uneven line"
    FAINT = "faint"
    EXTENDED = "lines run on"
    ROUND = "no sharp corners"
    SIZE = "size"
    GRID = "grid"
    COLOUR = "colour"


@dataclass(frozen=True)
class Outline:
    """An outline found; ``confidence``, ``agreement`` and ``visible``: 0 to 1."""

    box: Box
    line: float
    colour: Colour
    """What was drawn."""
    shown: Colour
    """The same as the picture shows it, mixed with the ground."""
    confidence: float
    agreement: float
    visible: float
    closed: bool
    radius: float
    """Of its corners, pixels; 0: sharp, or too small to tell."""
    sharp: bool
    """Whether the lines are seen to reach into the corners."""


@dataclass(frozen=True)
class Rejection:
    """A rectangle that was looked at and found not to be a box."""

    box: Box
    flaw: Flaw
    detail: str = ""


class Examiner:
    """Looks closely at all rectangles of a picture at once. Not for several threads: it keeps tables."""

    def __init__(self) -> None:
        self._scale = 0.0
        self._shares: F32 = np.zeros(0, np.float32)
        self._widths: F32 = np.zeros(0, np.float32)

    def examine(
        self, bgr: U8, candidates: Candidates, params: OverlayParams, scale: float, *, explain: bool = True
    ) -> tuple[list[Outline], list[Rejection]]:
        """The outlines among ``candidates`` (two pixels off at most), surest first and none twice, whatever their
        colour; and why the others are none, if ``explain``.

        ``bgr``: H x W x 3, contiguous; ``scale``: height over 1080.
        """
        if not len(candidates):
            return [], []
        rects = candidates.rects
        features, shapes = m.measure(bgr, rects, candidates.colours, candidates.offsets, scale)
        single, total = evidence.log_odds(features, shapes[:, m.RADIUS] > 0)
        sure = evidence.confidence(total)
        sure[shapes[:, m.LINES] < _LINES] = 0.0
        likely = np.flatnonzero(sure >= params.min_confidence)
        likely = likely[np.argsort(-sure[likely], kind="stable")]
        dark = np.array([_dark(shapes[i], params) for i in likely], bool)
        rejected = [
            Rejection(_box(shapes[i]), Flaw.COLOUR, f"dark, Y {shapes[i, m.COLOURS]:.0f}") for i in likely[dark]
        ]
        # a line between two dark edges is no ground: those are left out first
        likely = likely[~dark]
        likely = likely[~between_two([_box(shapes[i]) for i in likely], shapes[likely], scale)]
        kept: list[int] = []
        boxes: list[Box] = []
        for i in likely:
            box = _box(shapes[i])
            rival = next(
                (k for k, other in enumerate(boxes) if box.iou(other) > _SAME or around(box, other, scale)), -1
            )
            if rival >= 0 and not outdoes(box, shapes[i, m.LINE], boxes[rival], shapes[kept[rival], m.LINE], scale):
                continue
            flaw = _misshapen(box, features[i], shapes[i], params, bgr.shape, scale)
            if flaw is None and m.divided(bgr, shapes[i]):
                flaw = Rejection(box, Flaw.GRID)
            if flaw is None and shapes[i, m.RADIUS] > 0:
                letter = m.circular if shapes[i, m.CLOSED] else m.bulging
                if letter(bgr, shapes[i]):
                    flaw = Rejection(box, Flaw.ROUND, "sides not straight")
            if flaw is not None:
                if not any(r.flaw == flaw.flaw and r.box.iou(box) > _SAME for r in rejected):
                    rejected.append(flaw)
            elif rival >= 0:
                kept[rival], boxes[rival] = int(i), box
            else:
                kept.append(int(i))
                boxes.append(box)
        if explain:
            rejected += [
                _unlikely(features[i], shapes[i], single[i], rects[i], float(sure[i]))
                for i in np.flatnonzero(sure < params.min_confidence)
            ]
        return self._outlines(bgr, features[kept], shapes[kept], sure[kept], boxes, scale), rejected

    def _outlines(
        self, bgr: U8, features: F32, shapes: F32, sure: F32, boxes: Sequence[Box], scale: float
    ) -> list[Outline]:
        if not boxes:
            return []
        if scale != self._scale:
            self._scale = scale
            self._shares, self._widths = m.strokes(scale)
        bright, misfit, sums = m.fit_strokes(bgr, shapes, self._shares)
        shown = shapes[:, m.COLOURS : m.COLOURS + 6].reshape(-1, 2, 3).mean(axis=1)
        # one camera draws all boxes of a picture with one stroke
        contrast = features[:, m.CONTRAST].reshape(-1, 1, 1, 1)
        score = _SHARP * np.log(misfit + _NOISE + _OFF * contrast**2) + _PLAIN * np.abs(
            bright - shown[:, :1, None, None]
        )
        total = score.sum(axis=0)
        total[self._widths > float(np.median(shapes[:, m.LINE])) + _WIDER * scale] += _NEVER
        total[..., 1:] += _EDGED
        total[1::2] += _HALF
        width, blur, edge = np.unravel_index(int(np.argmin(total)), total.shape)
        colour = sums[:, :2] / self._widths[width] + sums[:, 2:]
        return [
            Outline(
                box,
                float(shape[m.LINE]),
                (float(y), float(cr), float(cb)),
                (float(seen[0]), float(seen[1]), float(seen[2])),
                float(confidence),
                float(feature[m.AGREEMENT]),
                float(feature[m.VISIBLE]),
                bool(shape[m.CLOSED]),
                float(shape[m.RADIUS]),
                bool(shape[m.RADIUS] == 0 and feature[m.CORNER_LINE] > _IN_CORNERS),
            )
            for box, shape, feature, confidence, y, (cr, cb), seen in zip(
                boxes, shapes, features, sure, bright[:, width, blur, edge], colour, shown, strict=True
            )
        ]


def _box(shape: F32) -> Box:
    left, top, right, bottom, line = (float(v) for v in shape[: m.LINE + 1])
    return Box(left - (line - 1) / 2, top - (line - 1) / 2, right - left + line, bottom - top + line)


def _dark(shape: F32, params: OverlayParams) -> bool:
    """Whether a line has no colour and is darker than the darkest gray, and than its ground, which can only have
    made it brighter: the dark edge that some cameras draw around their boxes."""
    shown = shape[m.COLOURS : m.COLOURS + 6].reshape(2, 3).mean(axis=0)
    return bool(
        shown[0] < params.colour.gray_min - _DARKER
        and shown[0] < shape[m.GROUND] - _DARKER
        and np.hypot(shown[1], shown[2]) < _COLOURLESS
    )


def _misshapen(
    box: Box, features: F32, shape: F32, params: OverlayParams, size: tuple[int, ...], scale: float
) -> Rejection | None:
    """What no AF box can be, however sure the outline."""
    limits = params.shape
    longer, shorter = max(box.width, box.height), min(box.width, box.height)
    if longer > limits.max_aspect * shorter:
        return Rejection(box, Flaw.ASPECT, f"{box.width:.0f} x {box.height:.0f}")
    if shorter < limits.min_size * scale - 1 or longer > limits.max_size * scale + 1:
        return Rejection(box, Flaw.SIZE, f"{box.width:.0f} x {box.height:.0f}")
    margin = limits.edge_margin * scale
    if box.x < margin or box.y < margin or box.right > size[1] - margin or box.bottom > size[0] - margin:
        return Rejection(box, Flaw.EDGE_MARGIN)
    if shape[m.LINE] > limits.max_line * scale + _BLUR:
        return Rejection(box, Flaw.THICK, f"{shape[m.LINE]:.1f} px")
    if features[m.AGREEMENT] < limits.min_agreement:
        return Rejection(box, Flaw.BROKEN, f"{features[m.AGREEMENT]:.2f}")
    if features[m.VISIBLE] < limits.min_visible:
        return Rejection(box, Flaw.FAINT, f"{features[m.VISIBLE]:.2f} visible")
    if shape[m.EXTENDED] > limits.max_extended:
        return Rejection(box, Flaw.EXTENDED, f"{shape[m.EXTENDED]:.0f} of 8")
    return None


def _unlikely(features: F32, shape: F32, single: F32, rect: I32, sure: float) -> Rejection:
    """The main reason why a rectangle is no box."""
    if shape[m.LINES] < _LINES:
        left, top, right, bottom = (int(v) for v in rect)
        return Rejection(
            Box(left - 1, top - 1, right - left + 3, bottom - top + 3), Flaw.FAINT, f"{shape[m.LINES]:.0f} lines"
        )
    if shape[m.FILLED] > _FULL:
        return Rejection(_box(shape), Flaw.FILLED)
    name = evidence.worst(single)
    value = features[m.FEATURES.index(name)]
    return Rejection(_box(shape), _FLAWS[name], f"{sure:.2f}, {name.replace('_', ' ')} {value:.2f}")


_FLAWS = {
    "agreement": Flaw.BROKEN,
    "worst_corner": Flaw.BROKEN,
    "second_corner": Flaw.BROKEN,
    "strength": Flaw.FAINT,
    "visible": Flaw.FAINT,
    "between": Flaw.BROKEN,
    "corner_line": Flaw.ROUND,
    "worst_corner_line": Flaw.ROUND,
    "run_on": Flaw.EXTENDED,
    "run_on_most": Flaw.EXTENDED,
    "uneven": Flaw.UNEVEN,
    "contrast": Flaw.FAINT,
    "thin": Flaw.THICK,
    "arms_differ": Flaw.BROKEN,
}
"""Which flaw a feature speaks of."""
_LINES = 3
"""Sides that must have a line."""
_FULL = 0.6
"""Share of what is beside the lines, inside, from which a rectangle is called filled."""
_IN_CORNERS = 2.0
"""What must be seen in the corners (of 2.5) to call them sharp."""
_SAME = 0.45
"""Overlap (IoU) from which two outlines are one."""
_DARKER, _COLOURLESS = 10.0, 12.0
"""Levels by which a dark line is darker than any gray and than its ground, and the colour it may have."""
_BLUR = 0.7
"""Pixels that blur adds to the thickness of a line."""
_NOISE = 4.0
"""Squared misfit of a stroke that is as good as none, levels."""
_OFF = 0.0003
"""The same where the line is a sixteenth of a pixel off, as a share of the squared contrast."""
_SHARP, _PLAIN = 6.0, 0.01
"""What a stroke's misfit counts, and each level by which its colour differs from the one that shows."""
_EDGED = 4.0
"""What lines with dark edges must be better than those without."""
_HALF = 3.0
"""What lines of half pixels, in a picture 1080 high, must be better than those of whole ones, which cameras draw."""
_WIDER = 1.2
"""Pixels by which a line may be wider than it looks."""
_NEVER = 1e6
