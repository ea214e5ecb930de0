"""Whose hand moved the selection: the camera's own, or the photographer's."""

from __future__ import annotations

from collections.abc import Sequence

from .moves import steps_between
from .params import PlannerParams
from .selection import Move
from .subjects import Subject

_NEARLY_LARGEST = 0.93
_PERSON_KNOWN_S = 20.0
_QUICK_MOVES = 2


class Hands:
    """Judges moves of the selection that no press of ours explains.

    The camera moves by itself when it loses its subject, and likes the largest face. What is neither
    is a person's will. A move to a neighbour that also is the largest could be either: it is
    taken for the camera's, unless a person has been at work lately or the move is repeated, each time
    soon after it was corrected.
    """

    def __init__(self) -> None:
        self._person_at = -1e9
        self._suspect_at = -1e9
        self._corrected_at = -1e9
        self._quick = 0

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]

    def corrected(self, now: float) -> None:
        """We press, and so undo what was moved before."""
        if self._suspect_at > self._corrected_at:
            self._corrected_at = now

    def is_person(self, now: float, move: Move, row: Sequence[Subject], params: PlannerParams) -> bool:
        before, after = move.before, move.after
        if before is None or after is None or move.before_gone:
            return False
        if is_largest(after, row):
            self._quick = self._quick + 1 if now - self._corrected_at <= params.insist_s else 0
            self._suspect_at = now
            known = now - self._person_at <= _PERSON_KNOWN_S and steps_between(before, after, row) == 1
            return known or self._quick >= _QUICK_MOVES
        self._person_at = now
        return True


def is_largest(subject: Subject, row: Sequence[Subject]) -> bool:
    """Among those whose box is seen now: whom the camera has just lost it cannot prefer."""
    row = [s for s in row if s.state]
    faces = max((s.face_area for s in row), default=0.0)
    boxes = max((s.box_area for s in row), default=0.0)
    return subject.face_area >= _NEARLY_LARGEST * faces or subject.box_area >= _NEARLY_LARGEST * boxes
