"""Which presses lead from one subject to another, and which buttons have been seen to work."""

from __future__ import annotations

from collections.abc import Sequence

from face_af_common.types import ActionKind

from .subjects import Subject

_STACK_PRIOR = {
    ActionKind.FN1: (1.4, 0.6),
    ActionKind.LEFT: (1.0, 1.0),
    ActionKind.DOWN: (0.8, 1.2),
}
"""How often each button has led from one face to the one above or below, and how often not: a guess.

LEFT stands for RIGHT too, and DOWN for UP."""
_TRY_GAIN = 8
"""Presses that going around could have saved so far, before it is tried with a camera that has not shown whether it
can: a try costs a press and the wait for it. More after a try without effect, which may have been lost."""
_TRY_AGAIN, _TRY_GAIN_MOST = 3, 500
"""So many times rarer after each try without effect; the most comes once in an evening."""
_SURE = 3
"""So many presses at an end may get lost before a camera that was seen to go around is thought not to."""
_ORDER = (ActionKind.FN1, ActionKind.LEFT, ActionKind.RIGHT, ActionKind.DOWN, ActionKind.UP)
"""What else is tried: the button that most bodies let change the subject comes first."""


class Navigation:
    """The order of the candidates as presses, with what this camera's buttons were seen to do."""

    def __init__(self) -> None:
        self._wraps = 0
        """Over zero: the selection was seen to go around the ends of the row."""
        self._try_gain = _TRY_GAIN
        self._missed_gain = 0
        self._stack: dict[ActionKind, list[float]] = {kind: list(prior) for kind, prior in _STACK_PRIOR.items()}
        self._stack[ActionKind.RIGHT] = self._stack[ActionKind.LEFT]
        self._stack[ActionKind.UP] = self._stack[ActionKind.DOWN]

    def expect_wrap(self, wraps: bool) -> None:
        """What was measured with this camera before: whether the selection goes around the ends of the row."""
        if wraps:
            self._wraps = _SURE
        else:
            self._wraps, self._try_gain = 0, _TRY_GAIN_MOST

    @property
    def wraps(self) -> bool:
        """The selection was seen to go around the ends of the row."""
        return self._wraps > 0

    def steps(self, focus: Subject | None, target: Subject, row: Sequence[Subject], wrap: str) -> list[ActionKind]:
        """The presses from ``focus`` to ``target``; at least one. ``row``: the candidates, left to right."""
        if focus is None:
            return [ActionKind.RIGHT]
        if is_stacked(focus, target):
            return [self._stack_kind(focus, target)]
        kind = ActionKind.LEFT if target.x < focus.x else ActionKind.RIGHT
        direct = steps_between(focus, target, row)
        gain = _gain_around(direct, row)
        # a focus that has left the row has no way around
        if 0 < gain < direct and self._goes_around(_opposite(kind), focus, row, wrap, gain):
            return [_opposite(kind)] * (direct - gain)
        return [kind] * direct

    def set_out(self, kind: ActionKind, focus: Subject, target: Subject, row: Sequence[Subject]) -> None:
        """The first press of a way went out: remembers what the other way round could have saved."""
        if at_end(_opposite(kind), focus, row) and not is_stacked(focus, target):
            self._missed_gain += max(_gain_around(steps_between(focus, target, row), row), 0)

    def _stack_kind(self, focus: Subject, target: Subject) -> ActionKind:
        side = ActionKind.LEFT if target.x < focus.x else ActionKind.RIGHT
        vertical = ActionKind.UP if target.y < focus.y else ActionKind.DOWN
        return max((ActionKind.FN1, side, vertical), key=lambda kind: self._stack[kind][0] / sum(self._stack[kind]))

    def _goes_around(self, kind: ActionKind, focus: Subject, row: Sequence[Subject], wrap: str, gain: int) -> bool:
        """Whether to go the other way round: where that is known to work, or a try costs little and may save much."""
        if wrap != "auto":
            return wrap == "yes"
        return self.wraps or (at_end(kind, focus, row) and self._missed_gain + gain >= self._try_gain)

    def alternatives(self, first: ActionKind) -> list[ActionKind]:
        """What else to try, in order, when ``first`` has no effect."""
        return [kind for kind in _ORDER if kind != first]

    def ended(
        self, kind: ActionKind, before: Subject, after: Subject | None, aim: Subject | None, row: Sequence[Subject]
    ) -> None:
        """What came of a press that was meant to lead from ``before`` to ``aim``: ``after``, or None for nothing."""
        if len(row) > 2 and after is not None and is_wrap(kind, before, after, row):
            self._wraps = min(self._wraps + 1, _SURE)
            self._try_gain = _TRY_GAIN
        if after is None and at_end(kind, before, row):
            self._missed_gain = 0
            if self._wraps:
                self._wraps -= 1
            else:
                self._try_gain = min(self._try_gain * _TRY_AGAIN, _TRY_GAIN_MOST)
        if aim is None:
            return
        if is_stacked(before, aim):
            counts = self._stack.get(kind)
            if counts is None:
                return
            if after is aim:
                counts[0] += 1.0
            else:
                # a press without effect may have been lost; one that led elsewhere does what it does
                counts[1] += 1.0 if after is None else 3.0
            if sum(counts) > 20.0:
                counts[0] *= 0.5
                counts[1] *= 0.5


def _gain_around(direct: int, row: Sequence[Subject]) -> int:
    """How many presses fewer than ``direct`` ones it takes around the ends of the row."""
    return 2 * direct - len(row)


def at_end(kind: ActionKind, subject: Subject, row: Sequence[Subject]) -> bool:
    """Whether nobody is left on the button's side."""
    if kind not in (ActionKind.LEFT, ActionKind.RIGHT) or len(row) < 2:
        return False
    return subject.key == row[-1 if kind == ActionKind.RIGHT else 0].key


def is_wrap(kind: ActionKind, before: Subject, after: Subject, row: Sequence[Subject]) -> bool:
    """Whether the selection went from one end of the row to the other, against the button's direction."""
    return at_end(kind, before, row) and at_end(_opposite(kind), after, row)


def is_stacked(focus: Subject, target: Subject) -> bool:
    if focus.face is None or target.face is None:
        return False
    dx, dy = abs(focus.x - target.x), abs(focus.y - target.y)
    return dy > max(2 * dx, 0.7 * target.face.height) and dx < 0.5 * target.face.width


def steps_between(one: Subject, other: Subject, row: Sequence[Subject], margin: float = 0.0) -> int:
    """How many presses of LEFT or RIGHT apart two subjects are.

    Whoever stands within ``margin`` pixels of either's place does not count: the order may be the other way.
    """
    low, high = min(one.x, other.x) + margin, max(one.x, other.x) - margin
    return 1 + sum(1 for s in row if low < s.x < high and s is not one and s is not other)


def _opposite(kind: ActionKind) -> ActionKind:
    return ActionKind.LEFT if kind == ActionKind.RIGHT else ActionKind.RIGHT
