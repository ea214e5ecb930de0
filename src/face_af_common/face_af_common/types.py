"""The values that nodes exchange, as plain Python: no ROS, no picture library.

Pixels have their origin at the top left; boxes are ``x, y, width, height``; times are seconds;
similarity is the cosine in [-1, 1]. The integer values equal those of ``face_af_msgs``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, axis-parallel, ``width`` and ``height`` >= 0."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def center(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def area(self) -> float:
        return self.width * self.height

    def intersection(self, other: Box) -> float:
        """Area shared with ``other``, in square pixels."""
        width = min(self.right, other.right) - max(self.x, other.x)
        height = min(self.bottom, other.bottom) - max(self.y, other.y)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1; 0 where both boxes are empty."""
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return min(1.0, shared / union) if union > 0 else 0.0  # rounding exceeds 1 where boxes are minute

    def contains(self, x: float, y: float) -> bool:
        return self.x <= x < self.right and self.y <= y < self.bottom

    def distance(self, other: Box) -> float:
        """Distance of the two centres, pixels."""
        (ax, ay), (bx, by) = self.center, other.center
        return math.hypot(ax - bx, ay - by)

    def scaled(self, factor: float) -> Box:
        """The same rectangle in a picture ``factor`` times as large."""
        return Box(self.x * factor, self.y * factor, self.width * factor, self.height * factor)

    def grown(self, fraction: float) -> Box:
        """Wider by ``fraction`` of its width on either side, and likewise in height."""
        dx, dy = self.width * fraction, self.height * fraction
        return Box(self.x - dx, self.y - dy, self.width + 2 * dx, self.height + 2 * dy)


class AfState(IntEnum):
    """What a box on the camera's picture says about the subject in it (``AfBox.msg``)."""

    NONE = 0
    DETECTED = 1
    """Gray: found by the camera."""
    TRACKED = 2
    """White: chosen by the camera."""
    ACTIVE_FOCUS = 3
    """Green: chosen, and in focus."""


@dataclass(frozen=True)
class AfBox:
    """One autofocus box read from the picture; ``id`` 0 means that it is not followed over frames."""

    state: AfState
    box: Box
    confidence: float = 1.0
    id: int = 0

    @property
    def chosen(self) -> bool:
        """Whether the camera's selection sits on this box."""
        return self.state >= AfState.TRACKED


@dataclass(frozen=True)
class Face:
    """One face in one frame.

    ``landmarks``: x, y of left eye, right eye, nose, left and right mouth corner (10 numbers), or
    None. ``identity`` is empty while unknown.
    """

    track_id: int
    box: Box
    is_target: bool = False
    similarity: float = 0.0
    score: float = 1.0
    landmarks: tuple[float, ...] | None = None
    identity: str = ""


class ActionKind(IntEnum):
    """What can be asked of the camera (``SteeringCommand.msg``)."""

    LEFT = 1
    RIGHT = 2
    UP = 3
    DOWN = 4
    FN1 = 5
    FN2 = 6
    AF_AREA = 7


@dataclass(frozen=True)
class Action:
    """One press, or one point for the AF area (``x``, ``y`` in 0 to 1 of the picture; AF_AREA only)."""

    kind: ActionKind
    reason: str = ""
    x: float = 0.0
    y: float = 0.0


class SteeringStatus(IntEnum):
    """What steering is doing (``SteeringState.msg``)."""

    IDLE = 0
    NO_TARGET = 1
    CONFIRMING = 2
    STEERING = 3
    WAITING = 4
    ON_TARGET = 5
    YIELDING = 6
    GAVE_UP = 7
