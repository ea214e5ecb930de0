"""Where cameras go by themselves: to the largest face, the nearest, a neighbour, the most central, or any."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from .subjects import Subject

_NEARLY = 0.9
"""Faces whose size or distance differs by less may be taken for one another by the camera: boxes tremble."""


def destinations(before: Subject, after: Subject, row: Sequence[Subject], middle_x: float) -> dict[str, float]:
    """For each habit of cameras: the probability that it leads to ``after``."""
    others = [s for s in row if s.state and s is not before and s is not after] + [after]
    beside = [
        min((s for s in others if s.x < before.x), key=lambda s: before.x - s.x, default=None),
        min((s for s in others if s.x >= before.x), key=lambda s: s.x - before.x, default=None),
    ]
    return {
        "largest": float(is_largest(after, row)),
        "nearest": _nearest(after, others, lambda s: math.hypot(s.x - before.x, s.y - before.y)),
        "neighbour": 1.0 / (2 - beside.count(None)) if after in beside else 0.0,
        "central": _nearest(after, others, lambda s: abs(s.x - middle_x)),
        "any": 1.0 / len(others),
    }


def is_largest(subject: Subject, row: Sequence[Subject]) -> bool:
    """Among those whose box is seen now: whom the camera has just lost it cannot prefer."""
    row = [s for s in row if s.state]
    faces = max((s.face_area for s in row), default=0.0)
    boxes = max((s.box_area for s in row), default=0.0)
    return subject.face_area >= _NEARLY * faces or subject.box_area >= _NEARLY * boxes


def _nearest(subject: Subject, others: Sequence[Subject], distance: Callable[[Subject], float]) -> float:
    """Probability that ``subject`` is taken for the one at the least distance: all that nearly are share it."""
    least = min(distance(s) for s in others)
    near = [s for s in others if _NEARLY * distance(s) <= least]
    return 1.0 / len(near) if subject in near else 0.0
