"""Where the camera's selection is, believed frame by frame from boxes that may be misread or missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from face_af_common.types import AfState

from .subjects import Row, Subject

_RIVAL_GAP_S = 0.12
"""A rival that is not read as chosen for so long was a misreading."""

_PATIENCE = 3


@dataclass(frozen=True)
class Move:
    """The selection went from one subject to another; None = nobody is (or was) chosen."""

    before: Subject | None
    after: Subject | None
    before_gone: bool
    """The camera did not show the subject it left any more: it lost it."""
    where_before: tuple[float, float]
    """Centre of the subject before, as last seen."""


class Selection:
    """The belief, and the evidence against it.

    One misread box must never move it: a box newly read as chosen counts from its second frame on,
    unless in the same frame the box that was chosen is read as not chosen and the move is ours.
    """

    def __init__(self) -> None:
        self.subject: Subject | None = None
        self._rival: Subject | None = None
        self._rival_frames = 0
        self._rival_last = 0.0
        self._gray_seen = False
        self._unseen_frames = 0
        self._gray_frames = 0

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]

    def update(
        self, now: float, row: Row, expected: Callable[[Subject], bool], confirm_frames: int, unseen_frames: int
    ) -> Move | None:
        """Takes one frame in; returns the move when the belief changes with it."""
        belief = self.subject
        if self._rival is not None and now - self._rival_last > _RIVAL_GAP_S:
            self._rival = None
        chosen = [s for s in row.subjects.values() if s.chosen]
        if not chosen:
            self._unseen_frames += 1
            if belief is not None:
                self._gray_frames += belief.state == AfState.DETECTED
                # a box that is not read at all is there more often than one that is read as gray
                patience = unseen_frames if 2 * self._gray_frames >= unseen_frames else _PATIENCE * unseen_frames
                if self._unseen_frames >= patience:
                    return self._settle(None)
            return None
        self._unseen_frames = self._gray_frames = 0
        if belief is not None and belief.chosen:
            if len(chosen) == 1:
                self._rival = None
            return None
        rival = self._rival if self._rival in chosen else max(chosen, key=_evidence)
        if rival is self._rival:
            self._rival_frames += 1
        else:
            self._rival, self._rival_frames, self._gray_seen = rival, 1, False
        self._rival_last = now
        flipped = belief is not None and belief.state == AfState.DETECTED
        self._gray_seen = self._gray_seen or flipped
        needed = 1 if flipped and expected(rival) else confirm_frames
        if self._rival_frames < needed:
            return None
        return self._settle(rival)

    def _settle(self, subject: Subject | None) -> Move:
        before = self.subject
        move = Move(before, subject, not self._gray_seen, (before.x, before.y) if before is not None else (0.0, 0.0))
        self.subject = subject
        self._rival, self._rival_frames, self._gray_seen = None, 0, False
        return move

    @property
    def doubted(self) -> bool:
        """Something else is read as chosen, but not for long enough yet."""
        return self._rival is not None

    @property
    def frames_unseen(self) -> int:
        """Frames in a row without any chosen box."""
        return self._unseen_frames


def _evidence(subject: Subject) -> tuple[int, int]:
    return int(subject.state), subject.key
