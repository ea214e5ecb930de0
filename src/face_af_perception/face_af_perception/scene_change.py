"""Notices that most of the frame changes: at once (a cut), or within half a second (a dissolve, a fast pan)."""

from __future__ import annotations

import math
from enum import IntEnum

import cv2
import numpy as np

from .alignment import Picture, for_opencv

_CELLS = (32, 18)
_SAMPLES = 64
"""Pixels taken from a row of the frame: more cost time (each is a miss in the cache), and say no more."""

_CHANGED = 8.0
_CHANGED_SHARE = 0.15
"""A cell has changed by more than so many steps plus this share of its level: noise and compression stay below."""

_MOST = 0.4
"""Share of changed cells. Cuts in real films have 0.6 to 0.7, a singer who fills the frame 0.2, a fast pan 0.3."""

_SAME_SCENE = 0.6
"""Correlation of two frames: 0.1 to 0.3 across real cuts, above 0.8 within a scene, also when lights go on or off."""

_DISSOLVE_S = 0.5


class Change(IntEnum):
    """What happened to the scene since the last frame."""

    NONE = 0
    DRIFT = 1
    """Most of the frame is not what it was half a second ago, or the light changed at once."""
    CUT = 2


class SceneChange:
    """``update`` once a frame; ``reset`` where another film begins."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._last: Picture | None = None
        self._older: Picture | None = None
        self._since = -math.inf

    def update(self, bgr: Picture, stamp: float) -> Change:
        """How the frame ``bgr`` at ``stamp`` seconds differs from those before."""
        now, last, older = _small(bgr), self._last, self._older
        self._last = now
        if last is None or older is None:
            self._older, self._since = now, stamp
            return Change.NONE
        change = Change.NONE
        if _changed(now, last) > _MOST:
            change = Change.CUT if _alike(now, last) < _SAME_SCENE else Change.DRIFT
        elif stamp - self._since < _DISSOLVE_S:
            return change
        elif _changed(now, older) > _MOST and _alike(now, older) < _SAME_SCENE:
            change = Change.DRIFT
        self._older, self._since = now, stamp
        return change


def _small(bgr: Picture) -> Picture:
    step = max(1, bgr.shape[1] // _SAMPLES)
    part = bgr[step // 2 :: step, step // 2 :: step]
    sampled = for_opencv(part if part.size else bgr)
    return np.asarray(cv2.resize(sampled, _CELLS, interpolation=cv2.INTER_AREA), np.uint8)


def _changed(a: Picture, b: Picture) -> float:
    """Share of cells that differ, 0 to 1."""
    level = np.maximum(a, b).max(2)
    differs = np.asarray(cv2.absdiff(a, b).max(2) > _CHANGED + _CHANGED_SHARE * level, bool)
    return float(np.count_nonzero(differs) / differs.size)


def _alike(a: Picture, b: Picture) -> float:
    """Correlation coefficient, -1 to 1: the same whatever the brightness. 0 where a frame is of one colour."""
    x, y = a - a.mean(dtype=np.float32), b - b.mean(dtype=np.float32)
    size = math.sqrt(float((x * x).sum()) * float((y * y).sum()))
    return float((x * y).sum()) / size if size > 1e-3 else 0.0
