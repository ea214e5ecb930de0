"""The camera's subjects as far as the picture shows them: a row of boxes and faces that outlives short gaps."""

from __future__ import annotations

from collections.abc import Sequence

from face_af_common.types import AfBox, AfState, Box, Face

from .association import Association, without_eyes
from .clock import NEVER

_SAME_PLACE_IOU = 0.35
"""A new face that shares so much with the place of one that is not seen is the same: two people side by side share
less, one who walks shares more from frame to frame."""
_SAME_PLACE, _NEAR_IOU = 0.6, 0.4
"""Nearer than this share of a face's width counts as sharing so much, however differently large the two boxes are."""
_BOX_ON_FACE, _BOX_IOU = 0.4, 0.5
"""A box without a face within this share of the new face's width and height is that face's, before any face but one
that shares more: its camera saw the face first."""
_LOOSE_REACH, _LEAST_BOX = 0.6, 20.0
"""A box without a face is the one of before within this share of its size, pixels at least: people walk less far from
frame to frame."""
_AREA_RATE = 0.1
"""Share of the newest frame in a face's size: boxes tremble by some percent, and people come nearer in seconds."""


class Subject:
    """What the camera may choose: a face, a box, or both."""

    __slots__ = ("box", "box_area", "face", "face_area", "key", "seen_box", "seen_face", "state", "x", "y")

    def __init__(self, key: int, place: Box) -> None:
        self.key = key
        """The face's track id; negative for a box without a face."""
        self.face: Box | None = None
        self.box: Box | None = None
        self.seen_face = NEVER
        self.seen_box = NEVER
        self.state = AfState.NONE
        """As read in this frame; NONE where no box was read."""
        self.x, self.y = place.center
        self.face_area = 0.0
        self.box_area = 0.0
        """Smoothed, square pixels; 0 = not seen yet."""

    @property
    def width(self) -> float:
        place = self.face or self.box
        return place.width if place is not None else 0.0

    @property
    def chosen(self) -> bool:
        return self.state >= AfState.TRACKED


class Row:
    """All subjects of the newest frame and those seen shortly before."""

    def __init__(self) -> None:
        self._association = Association()
        self.subjects: dict[int, Subject] = {}
        self.renamed: dict[int, int] = {}
        """Keys that changed with this frame, old to new: a face got a new track id, or a box its face."""
        self._next_key = -1

    def forget(self) -> None:
        self.subjects.clear()
        self.renamed = {}

    def update(self, now: float, faces: Sequence[Face], boxes: Sequence[AfBox], remember_s: float) -> None:
        subjects = self.subjects
        self.renamed = {}
        for subject in subjects.values():
            subject.state = AfState.NONE
        self._adopt_faces(now, faces, remember_s)
        drawn = [box for box in boxes if box.state != AfState.NONE]
        drawn = without_eyes(drawn, [face.box for face in faces])
        places = [s for s in subjects.values() if s.face is not None]
        unseen = {i for i, s in enumerate(places) if s.seen_face != now}
        owners = self._association.assign(
            [s.face for s in places if s.face is not None], [b.box for b in drawn], unseen
        )
        loose: list[AfBox] = []
        for box, owner in zip(drawn, owners, strict=True):
            if owner < 0:
                loose.append(box)
                continue
            subject = places[owner]
            if subject.seen_box != now or box.state > subject.state:
                _put_box(subject, box, now)
        if loose:
            self._follow_loose(now, loose)
        for key in [key for key, s in subjects.items() if now - max(s.seen_face, s.seen_box) > 2 * remember_s]:
            del subjects[key]

    def candidates(self, now: float, remember_s: float) -> list[Subject]:
        """What the camera can choose, from left to right."""
        row = [s for s in self.subjects.values() if now - s.seen_box <= remember_s]
        row.sort(key=lambda s: s.x)
        return row

    def _adopt_faces(self, now: float, faces: Sequence[Face], remember_s: float) -> None:
        subjects = self.subjects
        strangers: list[Face] = []
        for face in faces:
            subject = subjects.get(face.track_id)
            if subject is None:
                strangers.append(face)
            else:
                _put_face(subject, face.box, now)
        for face in strangers:
            heir = self._predecessor(now, face.box, remember_s)
            if heir is None:
                subject = Subject(face.track_id, face.box)
            else:
                subject = subjects.pop(heir)
                self.renamed[heir] = face.track_id
                subject.key = face.track_id
            subjects[face.track_id] = subject
            _put_face(subject, face.box, now)
        for subject in subjects.values():
            if subject.face is not None and now - subject.seen_face > remember_s:
                subject.face = None

    def _predecessor(self, now: float, place: Box, remember_s: float) -> int | None:
        """The subject that stood where a new face appears and is not seen as another face now."""
        best, best_iou = None, _SAME_PLACE_IOU
        cx, cy = place.center
        for key, subject in self.subjects.items():
            if subject.seen_face == now:
                continue
            if subject.face is not None:
                iou = subject.face.iou(place)
                if subject.face.distance(place) < _SAME_PLACE * place.width:
                    iou = max(iou, _NEAR_IOU)
            elif now - subject.seen_box <= remember_s:
                dx, dy = abs(subject.x - cx), abs(subject.y - cy)
                near = dx < _BOX_ON_FACE * place.width and dy < _BOX_ON_FACE * place.height
                iou = _BOX_IOU if near else 0.0
            else:
                continue
            if iou > best_iou:
                best, best_iou = key, iou
        return best

    def _follow_loose(self, now: float, loose: list[AfBox]) -> None:
        """Boxes on no face that is seen: each continues the nearest faceless subject, or starts one."""
        for box in loose:
            x, y = box.box.center
            reach = _LOOSE_REACH * max(box.box.width, box.box.height, _LEAST_BOX)
            best, nearest = None, reach
            for subject in self.subjects.values():
                if subject.seen_box == now or subject.seen_face == now:
                    continue
                away = max(abs(subject.x - x), abs(subject.y - y))
                if away < nearest:
                    best, nearest = subject, away
            if best is None:
                best = Subject(self._next_key, box.box)
                self.subjects[best.key] = best
                self._next_key -= 1
            _put_box(best, box, now)


def _put_box(subject: Subject, box: AfBox, now: float) -> None:
    subject.box = box.box
    subject.state = box.state
    subject.seen_box = now
    subject.x, subject.y = box.box.center
    subject.box_area = _smoothed(subject.box_area, box.box.area)


def _put_face(subject: Subject, face: Box, now: float) -> None:
    if subject.face is not None:
        # a box that is missed for some frames moves along with its face
        dx, dy = face.x - subject.face.x, face.y - subject.face.y
        subject.x += dx
        subject.y += dy
    elif subject.seen_box < now:
        subject.x, subject.y = face.center
    subject.face = face
    subject.seen_face = now
    subject.face_area = _smoothed(subject.face_area, face.area)


def _smoothed(before: float, now: float) -> float:
    return before + _AREA_RATE * (now - before) if before else now
