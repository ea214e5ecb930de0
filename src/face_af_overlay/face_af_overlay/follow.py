"""Boxes from frame to frame: each keeps its id while it moves, and its state through a flicker."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from face_af_common.types import AfBox, AfState, Box

from .params import FollowParams


@dataclass
class _Followed:
    box: AfBox
    seen: float
    """Time at which it was last seen, seconds."""
    pending: AfState = AfState.NONE
    since: float = 0.0
    velocity: tuple[float, float] = (0.0, 0.0)


class BoxTracker:
    """Gives ids to boxes and smooths their states. Times are the frames' own, in seconds."""

    def __init__(self) -> None:
        self._followed: list[_Followed] = []
        self._next = 1
        self._now: float | None = None

    def update(self, boxes: Sequence[AfBox], now: float, params: FollowParams) -> list[AfBox]:
        """The boxes with ids and steady states, and those that were seen a moment ago and are not now.

        Time that stands still changes nothing but the boxes; time that jumps back starts anew.
        """
        if self._now is not None and now < self._now:
            self._followed.clear()
        self._now = now
        self._followed = [f for f in self._followed if now - f.seen <= params.hold + _FORGET]
        pairs = sorted(
            (_cost(followed, box, params.reach), i, j)
            for i, followed in enumerate(self._followed)
            for j, box in enumerate(boxes)
        )
        taken: dict[int, int] = {}
        for cost, i, j in pairs:
            if cost < 1.0 and i not in taken.values() and j not in taken:
                taken[j] = i
        kept: list[_Followed] = []
        for j, box in enumerate(boxes):
            if j in taken:
                kept.append(_renewed(self._followed[taken[j]], box, now, params))
            else:
                kept.append(_Followed(dataclasses.replace(box, id=self._next), now))
                self._next += 1
        lost = (f for i, f in enumerate(self._followed) if i not in taken.values())
        kept += [f for f in lost if now - f.seen <= params.hold and not _replaced(f, kept)]
        self._followed = kept
        return [f.box for f in kept]


_FORGET = 0.5
"""Seconds beyond ``hold`` after which a box that comes back is another one (pictures may be far apart)."""


def _cost(followed: _Followed, box: AfBox, reach: float) -> float:
    """Below 1 where the box can be the followed one; the nearer and the more alike, the less."""
    old, new = followed.box.box, box.box
    size = (old.width * old.height * new.width * new.height) ** 0.25
    if size <= 0:
        return 2.0
    (ax, ay), (bx, by) = old.center, new.center
    vx, vy = followed.velocity
    moved = max(abs(ax + vx - bx), abs(ay + vy - by)) / size
    grown = max(old.width / new.width, new.width / old.width, old.height / new.height, new.height / old.height)
    if moved > reach or grown > 1.6:
        return 2.0
    return 0.6 * moved / reach + 0.3 * (grown - 1.0) / 0.6 + (0.0 if followed.box.state == box.state else 0.05)


def _renewed(followed: _Followed, box: AfBox, now: float, params: FollowParams) -> _Followed:
    old = followed.box
    (ax, ay), (bx, by) = old.box.center, box.box.center
    velocity = (bx - ax, by - ay)
    state, pending, since = box.state, AfState.NONE, 0.0
    if box.state != old.state:
        since = followed.since if followed.pending == box.state else now
        flickers = now - since < params.confirm and now - followed.seen < params.confirm
        if flickers and box.confidence <= old.confidence:
            state, pending = old.state, box.state
    return _Followed(dataclasses.replace(box, state=state, id=old.id), now, pending, since, velocity)


def _replaced(followed: _Followed, others: Sequence[_Followed]) -> bool:
    """Whether another box now stands where this one was."""
    box: Box = followed.box.box
    return any(box.iou(other.box.box) > 0.25 for other in others)
