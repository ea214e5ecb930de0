"""Where the camera's selection is, believed frame by frame from boxes that may be misread or missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from face_af_common.types import AfState

from .subjects import Row, Subject

_RIVAL_GAP_S = 0.12
"""A rival that is not read as chosen for so long was a misreading."""

_PATIENCE = 3
_LOST_FRAMES = 2
"""A chosen box that was not drawn for so many frames before another was chosen: the camera had lost its subject."""


@dataclass(frozen=True)
class Move:
    """The selection went from one subject to another; None = nobody is (or was) chosen."""

    before: Subject | None
    after: Subject | None
    before_gone: bool
    """The camera did not show the subject any more before it left it: it lost it."""
    before_unseen: bool = False
    """Nor was its box seen while the other was confirmed: perhaps it was lost, perhaps its box was missed."""


@dataclass
class _Rival:
    """Somebody else who is read as chosen."""

    frames: int = 0
    last: float = 0.0
    flipped: bool = False
    """Meanwhile the box of the believed one was read as not chosen."""
    missed: int = 0
    """Frames without a box of the believed one when this one was read first."""


class Selection:
    """The belief, and the evidence against it.

    One misread box must never move it: a box newly read as chosen counts from its second frame on,
    unless in the same frame the box that was chosen is read as not chosen, nothing else is read as
    chosen, and a press of ours leads there.
    """

    def __init__(self) -> None:
        self.subject: Subject | None = None
        self._rivals: dict[int, _Rival] = {}
        self._unseen_frames = 0
        self._gray_frames = 0
        self._missed_frames = 0

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]

    def update(
        self, now: float, row: Row, expected: Callable[[Subject], bool], confirm_frames: int, unseen_frames: int
    ) -> Move | None:
        """Takes one frame in; returns the move when the belief changes with it.

        ``expected``: whether a press of ours explains that this subject is chosen now.
        """
        belief = self.subject
        if belief is not None:
            self._missed_frames = 0 if belief.chosen else self._missed_frames + (belief.state == AfState.NONE)
        for old, new in row.renamed.items():
            if old in self._rivals:
                self._rivals[new] = self._rivals.pop(old)
        for key in [key for key, rival in self._rivals.items() if now - rival.last > _RIVAL_GAP_S]:
            del self._rivals[key]
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
                self._rivals.clear()
            return None
        flipped = belief is not None and belief.state == AfState.DETECTED
        best: tuple[int, bool, int] | None = None
        winner: Subject | None = None
        for subject in chosen:
            rival = self._rivals.get(subject.key)
            if rival is None:
                missed = self._missed_frames - (belief is not None and belief.state == AfState.NONE)
                rival = self._rivals[subject.key] = _Rival(missed=missed)
            rival.frames += 1
            rival.last = now
            rival.flipped = rival.flipped or flipped
            likely = expected(subject)
            needed = confirm_frames
            if likely and flipped and len(chosen) == 1:
                needed = 1
            elif belief is not None and not rival.flipped and belief.state == AfState.NONE:
                needed += 1
            rank = (rival.frames, likely, int(subject.state))
            if rival.frames >= needed and (best is None or rank > best):
                best, winner = rank, subject
        return None if winner is None else self._settle(winner)

    def _settle(self, subject: Subject | None) -> Move:
        before = self.subject
        rival = self._rivals.get(subject.key) if subject is not None else None
        lost = rival is None or rival.missed >= _LOST_FRAMES
        move = Move(before, subject, lost, rival is None or not rival.flipped)
        self.subject = subject
        self._missed_frames = 0
        self._rivals.clear()
        self._gray_frames = 0
        return move

    @property
    def doubted(self) -> bool:
        """Something else is read as chosen, but not for long enough yet."""
        return bool(self._rivals)

    @property
    def frames_unseen(self) -> int:
        """Frames in a row without any chosen box."""
        return self._unseen_frames
