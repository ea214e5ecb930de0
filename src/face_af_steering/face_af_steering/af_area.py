"""``mode: af_area``: one point that follows the target's eyes, for cameras under full remote control."""

from __future__ import annotations

import math

from face_af_common.types import Action, ActionKind, Box, Face

from .clock import NEVER
from .params import PlannerParams

_EYE_LINE = 0.4
"""Height of the eyes within a face box, from its top, where the landmarks are not known."""
_JUMP = 0.15
"""Farther than this share of the picture is another place, not a movement: no smoothing across it."""


def eye_point(face: Face) -> tuple[float, float]:
    """The point between the eyes, in pixels."""
    if face.landmarks is not None and len(face.landmarks) >= 4:
        left_x, left_y, right_x, right_y = face.landmarks[:4]
        if all(math.isfinite(v) for v in face.landmarks[:4]):
            return (left_x + right_x) / 2, (left_y + right_y) / 2
    box: Box = face.box
    return box.x + box.width / 2, box.y + _EYE_LINE * box.height


class AreaPointer:
    """Smooths the point and says when it has moved far enough, long enough after the last one, to be sent."""

    def __init__(self) -> None:
        self._smooth: tuple[float, float] | None = None
        self._at = 0.0
        self._sent: tuple[float, float] | None = None
        self._sent_at = NEVER

    def forget(self) -> None:
        self._smooth = self._sent = None

    def update(
        self, now: float, face: Face, size: tuple[int, int], params: PlannerParams
    ) -> tuple[float, float] | None:
        """The smoothed point (0 to 1) if it should be sent now, else None. Call :meth:`sent` when it was."""
        x, y = eye_point(face)
        x, y = min(max(x / size[0], 0.0), 1.0), min(max(y / size[1], 0.0), 1.0)
        if self._smooth is None or math.dist(self._smooth, (x, y)) > _JUMP:
            self._smooth = (x, y)
        else:
            tau = params.area_smoothing_s
            share = 1.0 - math.exp(-max(now - self._at, 0.0) / tau) if tau > 0 else 1.0
            sx, sy = self._smooth
            self._smooth = (sx + share * (x - sx), sy + share * (y - sy))
        self._at = now
        if now - self._sent_at < params.area_interval_s:
            return None
        if self._sent is not None:
            dx, dy = self._smooth[0] - self._sent[0], self._smooth[1] - self._sent[1]
            if math.hypot(dx, dy * size[1] / size[0]) < params.area_dead_band:
                return None
        return self._smooth

    def sent(self, now: float, point: tuple[float, float]) -> Action:
        self._sent, self._sent_at = point, now
        return Action(ActionKind.AF_AREA, "the target's eyes", *point)
