"""The steps of a profile with every message in which each was seen."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ..fields import Echo, Field
from .runs import Run, Shape, shape_of
from .transactions import Transaction

_ENOUGH = 500


def value_at(transaction: Transaction, position: int) -> int:
    if position >= 100:
        return (transaction.data or b"")[position - 100]
    return (transaction.params or ())[position]


def positions(shape: Shape) -> list[int]:
    return [*range(shape[1]), *range(100, 100 + max(0, shape[2]))]


@dataclass(frozen=True)
class Seen:
    """One message: ``run`` is an index into the list of runs, ``at`` into its transactions."""

    run: int
    at: int
    transaction: Transaction


class Source(NamedTuple):
    """An answer of the camera; ``certain``: nothing was lost since, so no newer one is missing."""

    transaction: Transaction
    certain: bool


@dataclass
class ObservedStep:
    """``label`` for a person; ``fields``: first position -> the field that explains it and the positions behind."""

    label: str
    section: str
    seen: list[Seen]
    fields: dict[int, Field] = field(default_factory=dict)
    widths: dict[int, int] = field(default_factory=dict)
    """First position -> positions that the field covers."""
    siblings: list[ObservedStep] = field(default_factory=list)
    """Other steps with messages of the same shape."""
    relatives: list[ObservedStep] = field(default_factory=list)
    """This step, and those that have the same place in other buttons: as many parameters and bytes, and perhaps
    another operation."""

    @property
    def shape(self) -> Shape:
        return shape_of(self.seen[0].transaction)

    @cached_property
    def varying(self) -> list[int]:
        """Positions whose value is not always the same."""
        first = self.seen[0].transaction
        return [
            p
            for p in positions(self.shape)
            if any(value_at(s.transaction, p) != value_at(first, p) for s in self.seen[1:])
        ]

    def unexplained(self) -> list[int]:
        """Varying positions that no field covers."""
        covered = {p + i for p, width in self.widths.items() for i in range(width)}
        return [p for p in self.varying if p not in covered]

    def started(self, runs: Sequence[Run]) -> bool:
        """Whether one of its messages is from a recording with the start-up."""
        return any(runs[seen.run].started for seen in self.seen)

    def clean(self, runs: Sequence[Run]) -> bool:
        """Whether all that came before one of its messages in its session was recorded."""
        return any(
            runs[seen.run].started and not any(at <= seen.at for at in runs[seen.run].holes) for seen in self.seen
        )

    def explain(self, position: int, width: int, part: Field) -> None:
        self.fields[position] = part
        self.widths[position] = width

    def room(self, position: int) -> int:
        """Positions from here to the end of the data, or 1 for a parameter."""
        return 1 if position < 100 else 100 + self.shape[2] - position

    def free(self, position: int, width: int) -> bool:
        """Whether no field covers these positions yet, and they exist."""
        if position >= 100 and (position < 100 or position + width > 100 + self.shape[2]):
            return False
        covered = {p + i for p, size in self.widths.items() for i in range(size)}
        return not any(p in covered for p in range(position, position + width))


def value_of(transaction: Transaction, position: int, width: int, big: bool = False) -> int:
    """A parameter, or ``width`` bytes of data as a number."""
    if position < 100:
        return value_at(transaction, position)
    data = transaction.data or b""
    return int.from_bytes(data[position - 100 : position - 100 + width], "big" if big else "little")


class Replies:
    """What the camera had answered last before a message was sent, for every operation of a run."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs
        self._where: list[dict[object, list[int]]] = []
        usual: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for run in runs:
            for t in run.transactions:
                usual[t.operation][bool(t.reply or t.response_params)] += 1
        answering = {operation for operation, (without, having) in usual.items() if having >= without}
        for run in runs:
            where: dict[object, list[int]] = defaultdict(list)
            requests: dict[int, set[tuple[int, ...]]] = defaultdict(set)
            for i, t in enumerate(run.transactions):
                if t.operation in answering:
                    where[t.operation].append(i)
                    where[t.operation, t.params].append(i)
                    requests[t.operation].add(t.params or ())
            for operation, asked in requests.items():
                # an operation with parameters that change all the time is told apart by nothing else
                if len(asked) == 1 or len(asked) > 64:
                    for params in asked:
                        where.pop((operation, params), None)
            self._where.append(where)

    def before(self, seen: Seen) -> dict[object, Source]:
        """By operation, and by operation with parameters where it is asked with several; without lost answers."""
        run = self._runs[seen.run]
        found = {}
        for key, where in self._where[seen.run].items():
            at = bisect_left(where, seen.at)
            if at:
                source = run.transactions[where[at - 1]]
                if source.reply or source.response_params:
                    certain = not any(where[at - 1] < hole <= seen.at for hole in run.holes)
                    found[key] = Source(source, certain)
        return found

    @cached_property
    def of_the_session(self) -> frozenset[object]:
        """Operations to which the camera answers once a session, and perhaps something else in each."""
        found = set()
        for key in {key for where in self._where for key in where if isinstance(key, int)}:
            told = [
                {run.transactions[at].reply for at in where[key][:_ENOUGH]}
                for run, where in zip(self._runs, self._where, strict=True)
                if key in where
            ]
            values = set().union(*told)
            if all(len(one) == 1 for one in told) and len(values) == len(told) and max(map(len, values)) >= 4:
                found.add(key)
        return frozenset(found)

    def values_of(self, key: object, echo: Echo) -> tuple[set[object], int]:
        """All values that the source of an echo has had, and the number of complete sessions it was seen in."""
        values: set[object] = set()
        sessions = 0
        for run, where in zip(self._runs, self._where, strict=True):
            found = where.get(key, [])[:_ENOUGH]
            sessions += bool(found) and run.started
            for at in found:
                source = run.transactions[at]
                if echo.parameter is not None:
                    values.add(source.response_params[echo.parameter : echo.parameter + 1])
                else:
                    values.add(source.reply[echo.offset or 0 : (echo.offset or 0) + echo.bytes])
        return values, sessions
