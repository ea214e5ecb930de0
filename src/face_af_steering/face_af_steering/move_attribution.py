"""Whose hand moved the selection: the camera's own, or the photographer's."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .navigation import steps_between
from .params import PlannerParams
from .selection import Move
from .subjects import Subject

_NEARLY_LARGEST = 0.93
_SMALLER = 0.95
"""The camera does not leave a face in sight for one that is smaller than this share of it."""
_MEMORY_S = 90.0
_QUICK_MOVES = 2
_QUICK_MOVES_OF_RESTLESS = 3
"""With a camera that was seen to move by itself."""
_FACE_GAP_S = 0.1
_SETTLES_S = 0.2
"""So long after the camera has lost its subject it may change its mind."""


class MoveAttribution:
    """Judges moves of the selection that no press of ours explains.

    The camera moves by itself when it loses its subject, and likes the largest face. What is neither
    is a person's will. A move to a neighbour that could be either is taken for a person's where persons
    have been at work in this session more than the camera, or where it is repeated, each time
    soon after it was corrected; else for the camera's.
    """

    def __init__(self) -> None:
        self._persons = 0.0
        """Moves that only a person makes, fading."""
        self._cameras = 0.0
        """Moves that only the camera makes, fading."""
        self._before = (0.0, 0.0)
        self._at = -1e9
        self._lost_at = -1e9
        self._suspect_at = -1e9
        self._corrected_at = -1e9
        self._quick = 0

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]

    def corrected(self, now: float) -> None:
        """We press, and so undo what was moved before."""
        if self._suspect_at > self._corrected_at:
            self._corrected_at = now

    def withdraw(self) -> None:
        """The newest move has taken itself back too soon for a person: it was misread, and says nothing."""
        self._persons, self._cameras = self._before

    def is_person(self, now: float, move: Move, row: Sequence[Subject], params: PlannerParams) -> bool:
        before, after = move.before, move.after
        if before is None or after is None or move.before_gone:
            self._lost_at = now
            return False
        if move.back or now - self._lost_at < _SETTLES_S:
            return False
        fading = math.exp((self._at - now) / _MEMORY_S)
        self._persons *= fading
        self._cameras *= fading
        self._at = now
        self._before = (self._persons, self._cameras)
        beside = steps_between(before, after, row) == 1
        in_sight = now - before.seen_face <= _FACE_GAP_S
        largest = is_largest(after, row) and not (in_sight and _SMALLER * before.face_area > after.face_area)
        # a body draws the box of a subject whose face has turned away a little longer
        lost = not in_sight and (move.before_unseen or before.face_area > 0)
        if largest or lost:
            self._quick = self._quick + 1 if now - self._corrected_at <= params.insist_s else 0
            self._suspect_at = now
            if largest and not beside:
                self._cameras += 1.0
            restless = self._cameras > self._persons + 1.0
            enough = _QUICK_MOVES_OF_RESTLESS if restless else _QUICK_MOVES
            return (beside and self._persons > self._cameras) or self._quick >= enough
        self._persons += 1.0
        return True


def is_largest(subject: Subject, row: Sequence[Subject]) -> bool:
    """Among those whose box is seen now: whom the camera has just lost it cannot prefer."""
    row = [s for s in row if s.state]
    faces = max((s.face_area for s in row), default=0.0)
    boxes = max((s.box_area for s in row), default=0.0)
    return subject.face_area >= _NEARLY_LARGEST * faces or subject.box_area >= _NEARLY_LARGEST * boxes
