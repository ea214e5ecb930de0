"""Which face an autofocus box belongs to, by geometry alone."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import replace

from face_af_common.types import AfBox, Box

_REACH_X, _REACH_Y = 0.62, 0.72
"""How far a box' centre may lie from the expected place on its face, in widths and heights of the face."""
_REACH_SIZE = 1.8
"""... and how much their sizes may differ from what is usual: natural logarithm, so six times. An eye's box on a face
that is seen as a head."""
_SIZE_WEIGHT = 0.15
"""Place tells more than size: e times the usual size costs as much as 15 % of a face's width aside."""
_UNSEEN_COST = 0.2
"""A remembered face has moved meanwhile: one that is seen is preferred within a fifth of a face."""
_OTHER_SIZE = 0.45
"""Logarithm: a second box on the same face is a part of it (an eye, a head) only where it is 1.6 times larger or
smaller; boxes of one size are two subjects."""
_WELL_PLACED = 0.5
"""Such a part lies within half a face of where boxes are expected."""
_LEARN = 0.02
"""Share of the newest box in what is usual: a camera's style is settled within some 50 boxes, so 2 s."""
_EYE = 0.5
"""Largest share of a face's box that an eye's box is, in width and height: eyes are a fifth of a face wide, and
cameras draw their boxes up to twice as wide."""
_WITHIN = 0.9
"""Share of an eye's box that lies within the face's: both tremble."""
_AS_LARGE = 2.0
"""A face up to so many times as wide as a box may be what the box is drawn for."""
_EYES_X, _EYES_Y = 0.4, (0.15, 0.7)
"""Where eyes are in a face's box, also in profile and in a box around the head: from its middle, and from its top."""


def without_eyes(boxes: Sequence[AfBox], faces: Sequence[Box]) -> list[AfBox]:
    """The boxes that stand for a subject each: an eye's box, well inside another and much smaller, is part of that one.

    The larger one takes the eye's state where that is the higher. ``faces``: those seen in this frame; a small box
    with a face of its own is a person farther away, not an eye.
    """
    kept = dict(enumerate(boxes))
    widest = _EYE * max((max(box.box.width, 1.0) for box in boxes), default=0.0)
    # most frames have no box that is small enough for an eye: nothing to compare
    for i, eye in [(i, box) for i, box in enumerate(boxes) if box.box.width <= widest]:
        around = [j for j, box in enumerate(boxes) if j != i and _is_eye(eye.box, box.box)]
        if not around or any(_fits(face, eye.box) for face in faces):
            continue
        # of several around it, the tightest
        owner = min(around, key=lambda j: boxes[j].box.area)
        del kept[i]
        if owner in kept and kept[owner].state < eye.state:
            kept[owner] = replace(kept[owner], state=eye.state)
    return list(kept.values())


def _is_eye(small: Box, large: Box) -> bool:
    if large.width <= 0 or large.height <= 0:
        return False
    if max(small.width / max(large.width, 1.0), small.height / max(large.height, 1.0)) > _EYE:
        return False
    x, y = small.center
    return (
        abs(x - large.x - large.width / 2) <= _EYES_X * large.width
        and _EYES_Y[0] <= (y - large.y) / large.height <= _EYES_Y[1]
        and small.intersection(large) > _WITHIN * small.area
    )


def _fits(face: Box, box: Box) -> bool:
    """Whether a face is about as large as a box and in the same place."""
    return face.width < _AS_LARGE * box.width and face.distance(box) < _WELL_PLACED * box.width


class Association:
    """Assigns boxes to faces, one to one, nearest first.

    Cameras draw the box on the face, on one eye or around the head. Its usual height on the face and
    its usual size relative to it are learned from the unambiguous cases, which keeps neighbours apart
    when faces overlap.
    """

    def __init__(self) -> None:
        self._dy = 0.0
        self._log_size = 0.0
        self._count = 0

    def assign(self, faces: Sequence[Box], boxes: Sequence[Box], unseen: Collection[int] = ()) -> list[int]:
        """For each box the index of its face, or -1. No face gets two boxes of like size.

        ``unseen``: indices of faces that are only remembered; one that is seen is preferred.

        A second, much smaller or larger box within a face (an eye in a face) is assigned to it too.
        """
        logs = [0.5 * math.log(max(box.area, 1.0)) for box in boxes]
        pairs = self._pairs(faces, boxes, logs, unseen)
        result = [-1] * len(boxes)
        owner: dict[int, int] = {}
        crowded: set[int] = set()
        for cost, b, f in pairs:
            if result[b] >= 0:
                crowded.add(f)
            elif f not in owner:
                result[b] = f
                owner[f] = b
            else:
                crowded.add(f)
                if abs(logs[b] - logs[owner[f]]) > _OTHER_SIZE and cost < _WELL_PLACED:
                    result[b] = f
        for f, b in owner.items():
            if f not in crowded:
                self._learn(faces[f], boxes[b])
        return result

    def _pairs(
        self, faces: Sequence[Box], boxes: Sequence[Box], logs: Sequence[float], unseen: Collection[int]
    ) -> list[tuple[float, int, int]]:
        """Cost, box and face of each pair that may belong together, cheapest first. ``logs``: of the boxes' size."""
        terms = sorted(
            (
                face.x + face.width / 2,
                face.y + face.height * (0.5 + self._dy),
                face.width,
                face.height,
                0.5 * math.log(face.width * face.height) + self._log_size,
                f,
            )
            for f, face in enumerate(faces)
            if face.width > 0 and face.height > 0
        )
        places = [term[0] for term in terms]
        reach = _REACH_X * max((term[2] for term in terms), default=0.0)
        pairs: list[tuple[float, int, int]] = []
        for b, box in enumerate(boxes):
            x, y = box.center
            for fx, fy, width, height, log, f in terms[
                bisect_left(places, x - reach) : bisect_right(places, x + reach)
            ]:
                dx, dy, size = abs(x - fx) / width, abs(y - fy) / height, abs(logs[b] - log)
                if dx <= _REACH_X and dy <= _REACH_Y and size < _REACH_SIZE:
                    cost = math.hypot(dx, dy) + _SIZE_WEIGHT * size + (_UNSEEN_COST if f in unseen else 0.0)
                    pairs.append((cost, b, f))
        pairs.sort()
        return pairs

    def _learn(self, face: Box, box: Box) -> None:
        self._count += 1
        rate = max(_LEARN, 1.0 / (self._count + 4))
        dy = (box.y + box.height / 2 - face.y - face.height / 2) / face.height
        self._dy += rate * (min(max(dy, -0.5), 0.5) - self._dy)
        log_size = 0.5 * math.log(max(box.area, 1.0) / face.area)
        self._log_size += rate * (log_size - self._log_size)
