"""A camera body with subject detection: what it selects, and how it answers presses."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from face_af_common.types import ActionKind

from .numbers import CameraNumbers, OwnMoves
from .world import WIDTH, Stage, spells

_CHOOSES_AGAIN_S = 0.3
"""A body that has lost everybody chooses again this long after the loss."""
BUTTONS = (ActionKind.LEFT, ActionKind.RIGHT, ActionKind.FN1, ActionKind.DOWN)


@dataclass(frozen=True)
class Moment:
    """What there is to know about a camera in one frame."""

    frame: int
    selected: int | None
    detected: list[int]
    busy: bool
    """A press is under way, or the last one has just taken effect."""
    wish: int | None
    """Whom the photographer wants now; None = nobody in particular."""


@dataclass(frozen=True)
class Change:
    """The selection went from one person to another; ``cause``: ``own``, ``loss``, ``ours`` or ``hand``."""

    t: float
    cause: str
    before: int | None
    after: int | None


@dataclass(order=True)
class _Pending:
    due: float
    sent: float
    kind: ActionKind
    lost: bool
    by: str


class Camera:
    """The body. Everything random is drawn from ``seed``, the dropouts and own moves before the first press."""

    def __init__(self, stage: Stage, numbers: CameraNumbers, seed: int) -> None:
        self.numbers = numbers
        self._stage = stage
        seconds = stage.frames / stage.fps
        fate = random.Random(seed)
        people = len(stage.faces[0])
        self._dropouts = [spells(fate, seconds, numbers.dropout_every_s, 0.1, 0.8) for _ in range(people)]
        self._own = sorted((t, habit.to) for habit in numbers.own_moves for t in _times(fate, seconds, habit))
        self._press_rng = random.Random(seed + 1)
        self._own_rng = random.Random(seed + 2)
        self.selected: int | None = None
        self.detected: list[int] = []
        self.wish: int | None = None
        """Whom the photographer wants now: for those who know everything."""
        self.changes: list[Change] = []
        self._pending: list[_Pending] = []
        self._lost_since: float | None = None
        self._deaf_until = -1.0
        self._frame = -1

    def step(self, frame: int) -> None:
        """Goes on to ``frame``: detection, own will, effects of presses."""
        t = frame / self._stage.fps
        self._frame = frame
        self.detected = [
            i
            for i, seen in enumerate(self._stage.visible[frame])
            if seen and not any(a <= t < b for a, b in self._dropouts[i])
        ]
        self._own_will(t)
        if not self._pending:
            return
        due = sorted(p for p in self._pending if p.due <= t)
        self._pending = [p for p in self._pending if p.due > t]
        for press in due:
            if not press.lost:
                self._select(t, self.after(press.kind), press.by)
                self._lost_since = None
                self._deaf_until = t + self.numbers.settle_s

    def _select(self, t: float, person: int | None, cause: str) -> None:
        if person != self.selected:
            self.changes.append(Change(t, cause, self.selected, person))
            self.selected = person

    def _own_will(self, t: float) -> None:
        numbers = self.numbers
        if self.selected is None:
            rested = self._lost_since is None or t - self._lost_since > _CHOOSES_AGAIN_S
            if self.detected and numbers.after_loss != "nobody" and rested:
                self._select(t, self._goes_to("largest"), "loss")
        elif self.selected not in self.detected:
            if self._lost_since is None:
                self._lost_since = t
            if t - self._lost_since >= numbers.lose_after_s:
                chosen = self._goes_to(numbers.after_loss) if self.detected else None
                self._select(t, chosen, "loss")
                if chosen is not None:
                    self._lost_since = None
        else:
            self._lost_since = None
        while self._own and self._own[0][0] <= t:
            _, to = self._own.pop(0)
            if self.selected in self.detected:
                self._select(t, self._goes_to(to), "own")

    def _goes_to(self, to: str) -> int | None:
        """Whom the body selects by itself; the present one where there is nobody else."""
        others = [i for i in self.detected if i != self.selected]
        if to == "nobody":
            return None
        if not others:
            return self.selected if self.selected in self.detected else None
        if to == "largest":
            return max(self.detected, key=lambda i: self.place(i)[2])
        if to == "central":
            return min(self.detected, key=lambda i: abs(self.place(i)[0] - WIDTH / 2))
        if to == "any" or self.selected is None:
            return self._own_rng.choice(others)
        x, y = self.place(self.selected)[:2]
        if to == "nearest":
            return min(others, key=lambda i: (self.place(i)[0] - x) ** 2 + (self.place(i)[1] - y) ** 2)
        left = max((i for i in others if self.place(i)[0] < x), key=lambda i: self.place(i)[0], default=None)
        right = min((i for i in others if self.place(i)[0] >= x), key=lambda i: self.place(i)[0], default=None)
        return self._own_rng.choice([i for i in (left, right) if i is not None])

    def place(self, person: int) -> tuple[float, float, float, float]:
        return self._stage.faces[self._frame][person]

    def press(self, t: float, kind: ActionKind, by: str = "ours") -> None:
        rng, numbers = self._press_rng, self.numbers
        lost = rng.random() < numbers.loss
        stretch = 1 + numbers.jitter * rng.uniform(-1, 1)
        if rng.random() < 0.03:
            stretch += numbers.jitter * 2
        if t < self._deaf_until or (numbers.busy_ignores and self._pending):
            return
        self._pending.append(_Pending(t + numbers.response_s * stretch, t, kind, lost, by))

    def turn(self, t: float, kind: ActionKind) -> None:
        """The photographer's hand on the body: takes effect at once."""
        self._select(t, self.after(kind), "hand")
        self._lost_since = None

    @property
    def moment(self) -> Moment:
        busy = bool(self._pending) or self._frame / self._stage.fps < self._deaf_until
        return Moment(self._frame, self.selected, self.detected, busy, self.wish)

    @contextmanager
    def as_in(self, moment: Moment) -> Iterator[None]:
        """For questions about another moment: puts everything back afterwards."""
        now = self._frame, self.selected, self.detected
        self._frame, self.selected, self.detected = moment.frame, moment.selected, moment.detected
        try:
            yield
        finally:
            self._frame, self.selected, self.detected = now

    def first_step(self, to: int) -> ActionKind | None:
        """The first press of the shortest way from the selected person to ``to``, breadth first; None = no way."""
        selected = self.selected
        reached: set[int | None] = {selected}
        front: list[tuple[int | None, ActionKind | None]] = [(selected, None)]
        try:
            while front:
                following: list[tuple[int | None, ActionKind | None]] = []
                for where, first in front:
                    for kind in BUTTONS:
                        self.selected = where
                        after = self.after(kind)
                        if after == to:
                            return first or kind
                        if after not in reached:
                            reached.add(after)
                            following.append((after, first or kind))
                front = following
        finally:
            self.selected = selected
        return None

    def after(self, kind: ActionKind) -> int | None:
        """Who would be selected after a press of ``kind`` now."""
        numbers, detected = self.numbers, self.detected
        if not detected:
            return self.selected
        if self.selected is None:
            if kind == ActionKind.FN1:
                return self._goes_to("largest")
            return min(detected, key=lambda i: abs(self.place(i)[0] - WIDTH / 2))
        x, y, w, _ = self.place(self.selected)
        others = [i for i in detected if i != self.selected]
        above = [i for i in others if abs(self.place(i)[0] - x) < 0.5 * w and abs(self.place(i)[1] - y) > w]
        if kind in (ActionKind.FN1, ActionKind.UP, ActionKind.DOWN):
            if kind != ActionKind.FN1 or numbers.stack == "vertical":
                return min(above, key=lambda i: abs(self.place(i)[1] - y)) if above else self.selected
            if numbers.stack == "nothing":
                return self.selected
            kind = ActionKind.RIGHT
        if numbers.side_skips_stack:
            others = [i for i in others if i not in above]
        if kind == ActionKind.LEFT:
            side = [i for i in others if self.place(i)[0] < x]
            return max(side, key=lambda i: self.place(i)[0]) if side else self._around(others, left=True)
        side = [i for i in others if self.place(i)[0] >= x]
        return min(side, key=lambda i: self.place(i)[0]) if side else self._around(others, left=False)

    def _around(self, others: list[int], left: bool) -> int | None:
        if not self.numbers.wrap or not others:
            return self.selected
        return (max if left else min)(others, key=lambda i: self.place(i)[0])


def _times(rng: random.Random, seconds: float, habit: OwnMoves) -> list[float]:
    times: list[float] = []
    t = 0.0
    while True:
        t += habit.every_s * rng.uniform(0.6, 1.4) if habit.regular else rng.expovariate(1 / habit.every_s)
        if t >= seconds:
            return times
        times.append(t)
