"""Where the camera's selection is, believed frame by frame from boxes that may be misread or missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from face_af_common.types import AfState

from .clock import NEVER
from .read_error_rate import ReadErrorRate
from .subjects import Row, Subject

_RIVAL_GAP_S, _RIVAL_GAP_FRAMES = 0.12, 3
"""A rival that is not read as chosen for so long, and for more than so many frames, was a misreading: boxes that are
drawn are missed for some frames in a row at most, at any frame rate."""
_REACTION_S = 0.2
"""Nobody sees a move and undoes it sooner (simple visual reaction times)."""
_BACK_FRAMES = 3
"""A move that takes itself back after so few frames, and sooner than anybody reacts, was none."""
_PATIENCE = 3
"""So many times ``unseen_frames`` where it is not plain that nobody is chosen: boxes are rather missed than misread."""
_PATIENCE_S, _FEWEST_UNSEEN = 0.6, 3
"""... or after so long, and so many frames: longer than boxes are missed, shorter than a person waits for a press."""
_UNREAD_S = 1.0
"""A face whose box was read within the last second may have one that is missed; boxes are missed for less."""
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
    back: bool = False
    """The selection came from there so short a time before that nobody can have reacted."""


@dataclass
class _Rival:
    """Another person who is read as chosen."""

    frames: int = 0
    last: float = 0.0
    last_frame: int = 0
    flipped: bool = False
    """Meanwhile the box of the believed one was read as not chosen."""
    missed: int = 0
    """Frames without a box of the believed one when this one was read first."""


class Selection:
    """The belief, and the evidence against it.

    One misread box must never move it: a box newly read as chosen counts at first sight only where in
    the same frame the box that was chosen is read as not chosen, nothing else is read as chosen, and
    either a press of ours leads there or misreadings are rare enough that two in one frame are hardly
    ever seen (:class:`ReadErrorRate`). Otherwise as many frames must agree as the misreadings ask for.
    """

    def __init__(self) -> None:
        self.subject: Subject | None = None
        self.read_errors = ReadErrorRate()
        self._start_anew()

    def forget(self) -> None:
        """What is believed; not how well boxes are read."""
        self.subject = None
        self._start_anew()

    def _start_anew(self) -> None:
        self._rivals: dict[int, _Rival] = {}
        self._unseen_frames = 0
        self._gray_frames = 0
        self._complete_frames = 0
        self._missed_frames = 0
        self._frame = 0
        self._moved_frame = -_BACK_FRAMES - 1
        self._chosen_at = NEVER
        self._previous: Subject | None = None
        self._moved_at = NEVER
        self._left: Subject | None = None
        self._left_at = NEVER
        self._moved_as_expected = False

    def update(
        self, now: float, row: Row, expected: Callable[[Subject], bool], confirm_frames: int, unseen_frames: int
    ) -> Move | None:
        """Takes one frame in; returns the move when the belief changes with it.

        ``expected``: whether a press of ours explains that this subject is chosen now.
        """
        belief = self.subject
        self._frame += 1
        self._keep_rivals(now, row)
        if belief is not None:
            self._missed_frames = 0 if belief.chosen else self._missed_frames + (belief.state == AfState.NONE)
        chosen = [s for s in row.subjects.values() if s.chosen]
        read = sum(1 for s in row.subjects.values() if s.state)
        self.read_errors.saw(read)
        if belief is not None:
            self.read_errors.suspect(sum(1 for s in chosen if s is not belief) + (belief.state == AfState.DETECTED))
        if belief is not None and belief.chosen:
            self._is_chosen(now)
            if len(chosen) == 1:
                self._rivals.clear()
                self.read_errors.was_wrong()
            return None
        winner = self._winner(now, chosen, read, expected, confirm_frames)
        if winner is not None:
            self._is_chosen(now)
            return self._settle(winner, now, expected(winner))
        if any(self._rivals[s.key].frames > 1 for s in chosen):
            self._is_chosen(now)
            return None
        # a single box that is read as chosen once is misread as often as not
        return self._settle(None, now) if self._nobody_is_chosen(now, row, unseen_frames) else None

    def _is_chosen(self, now: float) -> None:
        """Somebody is, believed or not yet."""
        self._unseen_frames = self._gray_frames = self._complete_frames = 0
        self._chosen_at = now

    def _keep_rivals(self, now: float, row: Row) -> None:
        """Rivals follow their subjects' keys; those not read as chosen for long are forgotten."""
        for old, new in row.renamed.items():
            if old in self._rivals:
                self._rivals[new] = self._rivals.pop(old)
        for key in [key for key, rival in self._rivals.items() if self._is_stale(rival, now)]:
            del self._rivals[key]

    def _nobody_is_chosen(self, now: float, row: Row, unseen_frames: int) -> bool:
        """Nothing in this frame says who is chosen: whether to believe that nobody is, after enough frames."""
        self._unseen_frames += 1
        if self.subject is None:
            return False
        self._gray_frames += self.subject.state == AfState.DETECTED
        # a box that is not read at all is there more often than one that is read as gray
        unread = any(_is_unread(s, now) for s in row.subjects.values())
        self._complete_frames = 0 if unread else self._complete_frames + 1
        gray = 2 * self._gray_frames >= unseen_frames and 2 * self._complete_frames >= unseen_frames
        patience = unseen_frames if gray else _PATIENCE * unseen_frames
        long = self._unseen_frames >= _FEWEST_UNSEEN and now - self._chosen_at >= _PATIENCE_S
        return self._unseen_frames >= patience or long

    def _winner(
        self, now: float, chosen: list[Subject], read: int, expected: Callable[[Subject], bool], confirm_frames: int
    ) -> Subject | None:
        """The rival that was read as chosen in as many frames as it needs; the likeliest of several."""
        flipped = self.subject is not None and self.subject.state == AfState.DETECTED
        best: tuple[int, bool, int] | None = None
        winner: Subject | None = None
        for subject in chosen:
            rival = self._rival(subject, now, flipped)
            likely = expected(subject)
            if likely and flipped and len(chosen) == 1:
                needed = 1
            else:
                needed = self._frames_needed(rival, read, len(chosen) == 1 and flipped, confirm_frames)
            rank = (rival.frames, likely, int(subject.state))
            if rival.frames >= needed and (best is None or rank > best):
                best, winner = rank, subject
        return winner

    def _rival(self, subject: Subject, now: float, flipped: bool) -> _Rival:
        """The record of a subject that is read as chosen in this frame."""
        belief = self.subject
        rival = self._rivals.get(subject.key)
        if rival is None:
            missed = self._missed_frames - (belief is not None and belief.state == AfState.NONE)
            rival = self._rivals[subject.key] = _Rival(missed=missed)
        rival.frames += 1
        rival.last, rival.last_frame = now, self._frame
        rival.flipped = rival.flipped or flipped
        return rival

    def _frames_needed(self, rival: _Rival, read: int, plain: bool, confirm_frames: int) -> int:
        """In how many frames a rival must be read as chosen. ``plain``: it alone is, and the believed one is not."""
        belief = self.subject
        if belief is None:
            return max(confirm_frames, self.read_errors.frames_needed_of_nobody(read))
        both = rival.flipped or belief.state != AfState.NONE
        needed = self.read_errors.frames_needed(read, both)
        if not both:  # its box may have been taken for another face's
            needed = max(needed, confirm_frames + 1)
        elif not plain:
            needed = max(needed, 2)
        return max(confirm_frames - 1, min(needed, confirm_frames + 2), 1)

    def _is_stale(self, rival: _Rival, now: float) -> bool:
        return now - rival.last > _RIVAL_GAP_S and self._frame - rival.last_frame > _RIVAL_GAP_FRAMES

    def _settle(self, subject: Subject | None, now: float, expected: bool = False) -> Move:
        before = self.subject
        rival = self._rivals.get(subject.key) if subject is not None else None
        lost = rival is None or rival.missed >= _LOST_FRAMES
        if subject is None:
            self._left = before if before is not None and before.state == AfState.DETECTED else None
            self._left_at = now
        elif before is None and self._left not in (None, subject) and now - self._left_at < _UNREAD_S:
            # whoever was chosen meanwhile had a box that was not read
            before, lost = self._left, False
        again = subject is not None and subject is self._previous
        # a move that a press of ours was to make was none that was misread
        again = again and not self._moved_as_expected
        self._moved_as_expected = subject is not None and expected
        back = again and now - self._moved_at < _REACTION_S
        move = Move(before, subject, lost, rival is None or not rival.flipped, back)
        if again and self._frame - self._moved_frame <= _BACK_FRAMES and now - self._moved_at < _REACTION_S:
            self.read_errors.was_wrong(2 * (self._frame - self._moved_frame))
        else:
            self.read_errors.was_true()
        self._previous, self._moved_frame, self._moved_at = before, self._frame, now
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


def _is_unread(subject: Subject, now: float) -> bool:
    """A face in sight whose box was read shortly before and is not now: it may be the one that is chosen."""
    return subject.state == AfState.NONE and subject.seen_face == now and now - subject.seen_box < _UNREAD_S
