"""A photographer who now and then wants another face than the target, and presses until it is so."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .camera import Camera, Change
from .numbers import PhotographerNumbers
from .world import spells

TARGET = 0


@dataclass
class Wish:
    """One wish, and what became of it."""

    start: float
    end: float
    who: int
    undone: int = 0
    """So often did a press of ours lead away from a face that the photographer had stepped to."""
    insisted: int = 0
    """So often in a row was the same face brought back."""
    insisted_on: int | None = None
    """That face."""
    given_up: bool = False


class Photographer:
    """Steps towards the face that is wanted, one press at a time. Sees the camera's selection without lag."""

    def __init__(self, numbers: PhotographerNumbers | None, seconds: float, seed: int) -> None:
        self._numbers = numbers
        self._rng = rng = random.Random(seed + 5)
        self.wishes: list[Wish] = []
        self._coming = spells(rng, seconds, numbers.wish_every_s, *numbers.wish_s) if numbers else []
        self._wish: Wish | None = None
        self._steps_back_until = -1.0
        self._next_press = 0.0
        self._reacts_at = 0.0
        self._stood_on: int | None = None
        """The face that the hand has stepped to last, within this wish."""
        self._taken_from: int | None = None
        """The face that a press of ours has just led away from."""

    @property
    def wish(self) -> Wish | None:
        """The wish that holds now; None once it was given up."""
        return self._wish if self._wish is not None and not self._wish.given_up else None

    def step(self, t: float, camera: Camera, changes: list[Change]) -> None:
        """Sees what has changed, and presses where it is time to. ``changes``: those of this frame."""
        if self._numbers is None:
            return
        self._begin_and_end(t, camera)
        for change in changes:
            self._notice(t, change)
        wish = self.wish
        camera.wish = wish.who if wish is not None else None
        goal = wish.who if wish is not None else (TARGET if t < self._steps_back_until else None)
        if goal is None or goal not in camera.detected or camera.selected in (goal, None):
            return
        if t < max(self._next_press, self._reacts_at):
            return
        kind = camera.first_step(goal)
        if kind is None:
            return
        self._next_press = t + self._rng.uniform(*self._numbers.step_s)
        if self._numbers.direct:
            before = len(camera.changes)
            camera.turn(t, kind)
            for change in camera.changes[before:]:
                self._notice(t, change)
        else:
            # nobody presses again before the last press can have shown its effect
            self._next_press = max(self._next_press, t + 1.3 * camera.numbers.response_s)
            camera.press(t, kind, "hand")

    def _begin_and_end(self, t: float, camera: Camera) -> None:
        numbers, rng = self._numbers, self._rng
        assert numbers is not None
        if self._wish is not None and t >= self._wish.end:
            if not self._wish.given_up and rng.random() < numbers.steps_back:
                self._steps_back_until = t + 5.0
            self._wish = None
        while self._coming and self._coming[0][0] <= t:
            start, end = self._coming.pop(0)
            who = self._whom(camera)
            if who is not None and end > t:
                self._wish = Wish(start, end, who)
                self.wishes.append(self._wish)
                self._steps_back_until = -1.0
                self._stood_on = self._taken_from = None

    def _whom(self, camera: Camera) -> int | None:
        others = [i for i in camera.detected if i not in (TARGET, camera.selected)]
        if not others or camera.selected is None:
            return None
        if self._rng.random() < self._numbers.far:  # type: ignore[union-attr]
            return self._rng.choice(others)
        x = camera.place(camera.selected)[0]
        return min(others, key=lambda i: abs(camera.place(i)[0] - x))

    def _notice(self, t: float, change: Change) -> None:
        if change.cause != "hand":
            assert self._numbers is not None
            self._reacts_at = t + self._rng.uniform(*self._numbers.reaction_s)
        wish = self._wish
        if wish is None:
            return
        if change.cause == "hand":
            if change.after is not None and change.after == self._taken_from:
                wish.insisted = 1 + wish.insisted * (wish.insisted_on == change.after)
                wish.insisted_on = change.after
            self._stood_on, self._taken_from = change.after, None
        elif change.cause == "ours" and change.before is not None and change.before == self._stood_on:
            wish.undone += 1
            self._taken_from, self._stood_on = change.before, None
            wish.given_up = wish.undone >= self._numbers.gives_in_after  # type: ignore[union-attr]
