"""Where a number stands in a message, and what may have counted between two messages that are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .observed import ObservedStep, Seen, value_of
from .runs import Run, Shape, shape_of


@dataclass(frozen=True)
class Slot:
    """A place in a step's message where a number stands."""

    step: int
    position: int
    width: int
    big: bool = False

    def value(self, seen: Seen) -> int:
        return value_of(seen.transaction, self.position, self.width, self.big)

    @property
    def bits(self) -> int:
        return 32 if self.position < 100 else 8 * self.width

    @property
    def positions(self) -> int:
        return 1 if self.position < 100 else self.width


class Gaps:
    """How many messages between two others may have counted too: lost ones, and those that belong to no step."""

    def __init__(self, steps: Sequence[ObservedStep], runs: Sequence[Run]) -> None:
        self._runs = runs
        self._known = {step.shape for step in steps}
        used: list[set[int]] = [set() for _ in runs]
        for step in steps:
            for seen in step.seen:
                used[seen.run].add(seen.at)
        self._before: list[list[int]] = []
        for run, mine in zip(runs, used, strict=True):
            total, sums = 0, []
            for at in range(len(run.transactions)):
                total += run.holes.get(at, 0)
                sums.append(total)
                total += at not in mine
            self._before.append(sums)

    def before(self, seen: Seen) -> int:
        return self._before[seen.run][seen.at]

    def first(self, seen: Seen, slots: Mapping[Shape, Slot]) -> tuple[int, int]:
        """The first value in the run of ``seen``, and how many messages before it may have counted.

        Presses that were outvoted belong to no step; what they say counts all the same.
        """
        run, before = self._runs[seen.run], 0
        for at, transaction in enumerate(run.transactions[: seen.at]):
            before += run.holes.get(at, 0)
            shape = shape_of(transaction)
            if shape in slots:
                return slots[shape].value(Seen(seen.run, at, transaction)), before
            before += shape not in self._known
        return slots[shape_of(seen.transaction)].value(seen), before + run.holes.get(seen.at, 0)

    def between(self, a: Seen, b: Seen) -> int:
        return self._before[b.run][b.at] - self._before[a.run][a.at]
