"""Presses under way: which of them explains a move of the selection, and which got lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from face_af_common.types import ActionKind

from .clock import NEVER
from .cooldown import Cooldown
from .navigation import Navigation, is_wrap, steps_between
from .press_pipelining import PressPipelining
from .response import ResponseModel
from .selection import Move
from .subjects import Subject

_ODD_EFFECT = 0.015
"""Share of the presses that lead elsewhere than expected: the row was not as it was read."""
_LATE_EFFECT = 0.15
"""Share of the presses taken for lost that take effect after all."""
_TWO_EFFECTS = 0.03
"""Share of the effects that were another's, so that the press's own is to come."""


@dataclass
class Press:
    """One press that may still explain what the selection does."""

    kind: ActionKind
    at: float
    before: Subject | None
    aim: Subject
    planned: bool = False
    """Sent before the effect of the press before it was seen."""
    early: bool = False
    """Even before the camera can have answered that one."""
    lost: bool = False
    """Nothing was seen of it in time."""
    done: bool = False
    """Its effect was seen."""
    after_s: float = math.inf
    """So long after an effect was seen."""


class Presses:
    """Follows each press to its end, and learns from it how the camera answers."""

    def __init__(self) -> None:
        self.response = ResponseModel()
        self.pipelining = PressPipelining()
        self.navigation = Navigation()
        self._cooldown = Cooldown()
        self._open: list[Press] = []
        self.forget()

    def forget(self) -> None:
        """What is under way; not what was learned about the camera."""
        self._open.clear()
        self.lost_in_a_row = 0
        self.effect_at = NEVER
        """When the newest effect was seen, seconds."""

    @property
    def waiting(self) -> list[Press]:
        """Those whose effect may still come, oldest first."""
        return [p for p in self._open if not (p.lost or p.done)]

    def must_cool_down(self, now: float) -> bool:
        """Whether the camera may be deaf yet after the last effect."""
        return now - self.effect_at < self._cooldown.pause_s

    def sent(self, press: Press) -> None:
        if not press.planned:
            press.after_s = press.at - self.effect_at
        self._open.append(press)

    def not_sent(self) -> None:
        """The driver has dropped the newest one: the camera knows nothing of it, and nothing is learned from it."""
        if self._open and not (self._open[-1].done or self._open[-1].lost):
            self._open.pop()

    def lead_to(self, now: float, before: Subject | None, subject: Subject, row: Sequence[Subject], wrap: str) -> bool:
        """Whether they lead from ``before`` exactly to ``subject``: to believe it at first sight."""
        fitting = [p for p in self._open if not p.done and self._explains(p, now, before, subject, row, wrap)]
        if not fitting or before is None:
            return False
        return steps_between(before, subject, row) <= len(fitting) or is_wrap(fitting[0].kind, before, subject, row)

    def explain(self, now: float, move: Move, row: Sequence[Subject], wrap: str) -> bool:
        """Whether one of them explains ``move``; the likeliest is taken for its cause."""
        ours = [p for p in self._open if self._explains(p, now, move.before, move.after, row, wrap)]
        fitting = [p for p in ours if not p.done]
        if fitting and move.after is not None:
            index, sure = self.response.taking_effect([now - p.at for p in fitting])
            self._took_effect(fitting[index], now, move, row, alone=len(fitting) == 1, sure=sure)
        return bool(ours)

    def density(self, now: float, move: Move, row: Sequence[Subject], wrap: str) -> float:
        """Density, a second, of such a move as the effect of one of them."""
        return sum(
            self.response.density(now - press.at)
            * (1.0 if self._explains(press, now, move.before, move.after, row, wrap) else _ODD_EFFECT)
            * (_TWO_EFFECTS if press.done else _LATE_EFFECT if press.lost else 1.0)
            for press in self._open
        )

    def led_elsewhere(self, now: float) -> None:
        """The newest move was the effect of one of them all the same: of the likeliest."""
        under_way = [press for press in self._open if not press.done]
        if under_way:
            max(under_way, key=lambda press: self.response.density(now - press.at)).done = True

    def drop_lost(self, now: float, row: Sequence[Subject]) -> None:
        """Those that have shown nothing in time are lost; those that can have no effect any more are forgotten."""
        timeout = self.response.timeout_s(self.lost_in_a_row)
        for press in self._open:
            if press.lost or press.done or now - press.at <= timeout:
                continue
            press.lost = True
            self.response.lost()
            if press.planned:
                self.pipelining.ended(press.early, worked=False)
            else:
                self.lost_in_a_row += 1
                self._cooldown.ended(press.after_s, worked=False)
            if press.before is not None:
                self.navigation.ended(press.kind, press.before, None, press.aim, row)
        if self._open and now - self._open[0].at > self.response.latest_s:
            # after some repeats it takes longer until a press is lost than until it can explain nothing
            self._open = [p for p in self._open if now - p.at <= self.response.latest_s or not (p.lost or p.done)]

    def _took_effect(
        self, press: Press, now: float, move: Move, row: Sequence[Subject], alone: bool, sure: bool
    ) -> None:
        press.done = True
        self.effect_at = now
        self.lost_in_a_row = 0
        if press.planned:
            self.pipelining.ended(press.early, worked=True)
        elif alone and not press.lost:
            self._cooldown.ended(press.after_s, worked=True)
        if move.before is None or move.after is None:
            return
        if self.response.can_use(now - press.at, sure):
            self.response.learn(now - press.at)
        if press.lost:
            self.response.late()
        self.navigation.ended(press.kind, move.before, move.after, press.aim, row)

    def _explains(
        self, press: Press, now: float, before: Subject | None, after: Subject | None, row: Sequence[Subject], wrap: str
    ) -> bool:
        if not self.response.earliest_s <= now - press.at <= self.response.latest_s:
            return False
        if before is None or after is None or press.kind not in (ActionKind.LEFT, ActionKind.RIGHT):
            return True
        if (after.x > before.x) == (press.kind == ActionKind.RIGHT) or abs(after.x - before.x) < 0.5 * before.width:
            return True
        if wrap == "no":
            return False
        seen = [s for s in row if s.state or s is before]
        return is_wrap(press.kind, before, after, row) or is_wrap(press.kind, before, after, seen)
