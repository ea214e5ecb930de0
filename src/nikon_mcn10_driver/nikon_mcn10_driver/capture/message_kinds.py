"""The kinds of messages in a recording: which values tell kinds apart, and which change with the message."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from .observed import ObservedStep, Seen, positions, value_at
from .runs import Run, Shape, known, shape_of
from .sums import find_checksum
from .transactions import Transaction

MIN_BEATS = 3
"""Occurrences from which something is called regular."""

ENOUGH = 2000
"""Messages that are compared; more say nothing new."""

_MANY_VALUES = 3
"""A value that takes more than so many forms, in a fifth of its messages or more, changes with the message."""


@dataclass
class Kind:
    """Messages of one shape whose ``fixed`` values are equal. ``fixed``: position -> value; positions are
    parameter indices, and 100 + index of a byte of the data."""

    shape: Shape
    fixed: dict[int, int]

    def fits(self, transaction: Transaction) -> bool:
        if not known(transaction) or shape_of(transaction) != self.shape:
            return False
        return all(value_at(transaction, position) == value for position, value in self.fixed.items())


def kinds_in(*sessions: Sequence[Transaction]) -> list[tuple[Kind, list[Transaction]]]:
    """Sorts messages into kinds: values that change nearly every time, or that belong to the session, do not tell
    kinds apart; others do."""
    by_shape: dict[Shape, list[list[Transaction]]] = defaultdict(list)
    for transactions in sessions:
        here: dict[Shape, list[Transaction]] = defaultdict(list)
        for transaction in transactions:
            if known(transaction):
                here[shape_of(transaction)].append(transaction)
        for shape, group in here.items():
            by_shape[shape].append(group)
    found = []
    for shape, groups in by_shape.items():
        group = list(itertools.chain.from_iterable(groups))
        changing = _changing(groups, shape) | _of_the_session(groups, shape)
        changing |= _summing(group, changing)
        fixed = [p for p in positions(shape) if p not in changing]
        sorted_: dict[tuple[int, ...], list[Transaction]] = defaultdict(list)
        for transaction in group:
            sorted_[tuple(value_at(transaction, p) for p in fixed)].append(transaction)
        for values, members in sorted_.items():
            found.append((Kind(shape, dict(zip(fixed, values, strict=True))), members))
    return found


def _changing(sessions: Sequence[Sequence[Transaction]], shape: Shape) -> set[int]:
    """Positions whose value belongs to the message; a byte that varies beside such a byte is its upper or lower
    part."""
    values = {p: [[value_at(t, p) for t in group[:ENOUGH]] for group in sessions] for p in positions(shape)}
    changing = {p for p, seen in values.items() if _changes([v for session in seen for v in session][:ENOUGH])}
    bytes_ = [p for p in values if p >= 100]
    for order in (bytes_, bytes_[::-1]):
        for before, now in itertools.pairwise(order):
            if before in changing and _carries(*values[now]):
                changing.add(now)
    return changing


def _of_the_session(groups: Sequence[Sequence[Transaction]], shape: Shape) -> set[int]:
    """Positions whose value is always the same within a session, and another one in another session."""
    found = set()
    for position in positions(shape) if len(groups) > 1 else ():
        values = [{value_at(t, position) for t in group} for group in groups]
        if all(len(seen) == 1 for seen in values) and len(set.union(*values)) > 1:
            found.add(position)
    return found


def _carries(*sessions: Sequence[int]) -> bool:
    """Whether these can be the upper part of a number that counts: in a session they change seldom, and never back."""
    changed = False
    for values in sessions:
        blocks = 1 + sum(a != b for a, b in itertools.pairwise(values))
        if not len(set(values)) == blocks <= 2 + len(values) // 20:
            return False
        changed |= blocks > 1
    return changed


def _summing(group: Sequence[Transaction], changing: set[int]) -> set[int]:
    """All positions of a checksum of which only a part has changed so far."""
    if len(group) < MIN_BEATS:
        return set()
    step = ObservedStep("", "", [Seen(0, i, t) for i, t in enumerate(group[:ENOUGH])])
    covered: set[int] = set()
    for position in sorted(changing):
        if position >= 100 and position not in covered:
            for start in (position, position - 1):
                found = find_checksum(step, start) if start >= 100 else None
                if found is not None:
                    covered |= set(range(found[0], found[0] + found[1]))
    return covered


def _changes(values: Sequence[int]) -> bool:
    different = len(set(values))
    if different >= 3 and different == len(values):
        return True
    return different > _MANY_VALUES and different * 5 >= min(len(values), 60)


def kind_in_run(run: Run, kind: Kind) -> Kind:
    """The kind as this run has it: with its session's values, without the upper parts of numbers that count."""
    return _without_carries(run, _as_in(run, kind))


def _as_in(run: Run, kind: Kind) -> Kind:
    """A value in which all messages of this shape agree tells no press from a heartbeat: it belongs to the session."""
    same = [t for t in run.transactions if shape_of(t) == kind.shape]
    fixed = dict(kind.fixed)
    for position in fixed:
        values = {value_at(t, position) for t in same}
        if len(values) == 1:
            fixed[position] = values.pop()
    return Kind(kind.shape, fixed)


def _without_carries(run: Run, kind: Kind) -> Kind:
    """Leaves out bytes that are the upper part of a number: they change seldom, and never back."""
    fixed = dict(kind.fixed)
    same = [t for t in run.transactions if shape_of(t) == kind.shape]
    changed = True
    while changed:
        changed = False
        for position in [p for p in fixed if p >= 100]:
            neighbours = {position - 1, position + 1} - set(fixed)
            if not any(100 <= p < 100 + kind.shape[2] for p in neighbours):
                continue
            if _carries([value_at(t, position) for t in same]):
                del fixed[position]
                changed = True
    return Kind(kind.shape, fixed)
