"""Finds what the changing values in a grip's messages are: echoes, counters, clocks, checksums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..fields import CounterRule
from .clocks import find_clock
from .counter_gaps import Slot
from .counting import (
    counter_field,
    counts,
    find_counters,
    is_transaction_id,
    number_slots,
)
from .echoes import find_echo
from .observed import ObservedStep, Replies, value_at
from .runs import Run
from .session_values import as_siblings, find_constant_echo, session_echo
from .sums import find_checksum

_ENOUGH = 40
"""Messages of a step that are compared with those of others."""


@dataclass
class Explained:
    """``counters``: rules by name; ``refusals``: section -> what could not be explained in it."""

    counters: dict[str, CounterRule] = field(default_factory=dict)
    refusals: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def refuse(self, step: ObservedStep, text: str) -> None:
        self.refusals.setdefault(step.section, []).append(f"{step.label}: {text}")


def explain(steps: Sequence[ObservedStep], runs: Sequence[Run], periods: Sequence[float]) -> Explained:
    """Fills in the fields of ``steps``."""
    result = Explained()
    replies = Replies(runs)
    pool: list[Slot] = []
    _shared_sums(steps)
    for index, step in enumerate(steps):
        _echoes(step, replies)
        _sums(step)
        pool += _counting(step, index)
    _counters(steps, pool, runs, periods, result)
    # what began late is compared with what did not
    started_first = sorted(enumerate(steps), key=lambda entry: not entry[1].started(runs))
    for index, step in started_first:
        _transaction_ids(step, index)
        _clocks(step, index, runs, steps, result)
        _sums(step)
    for _, step in started_first:
        _like_siblings(step, replies)
        left = step.unexplained()
        if left:
            result.refuse(step, _unexplained(step, left))
        for problem in find_constant_echo(step, replies, runs, steps):
            result.refuse(step, problem)
    return result


def _transaction_ids(step: ObservedStep, index: int) -> None:
    for position in step.varying:
        if position not in step.unexplained():
            continue
        for slot in number_slots(step, index, position):
            if slot.width >= 2 and step.free(slot.position, slot.positions):
                part = is_transaction_id(step, slot)
                if part is not None:
                    step.explain(slot.position, slot.positions, part)
                    break


def _echoes(step: ObservedStep, replies: Replies) -> None:
    failed: set[int] = set()
    while left := [p for p in step.unexplained() if p not in failed]:
        found = find_echo(step, left[0], replies)
        if found is None:
            failed.add(left[0])
        else:
            step.explain(*found)


def _like_siblings(step: ObservedStep, replies: Replies) -> None:
    for position in step.unexplained():
        for start in (position, position - 1, position - 2, position - 3):
            if start < 100 and start != position:
                break
            echo = as_siblings(step, start, replies) or session_echo(step, start, replies)
            size = 1 if position < 100 else echo.bytes if echo is not None else 0
            if echo is not None and step.free(start, size):
                step.explain(start, size, echo)
                break


def _counting(step: ObservedStep, index: int) -> list[Slot]:
    """For each changing place the way to read it in which it counts in the smallest steps."""
    slots: list[Slot] = []
    covered: set[int] = set()
    for position in step.unexplained():
        if position in covered:
            continue
        ranked = []
        for slot in number_slots(step, index, position):
            places = range(slot.position, slot.position + slot.positions)
            if covered.isdisjoint(places) and (distance := counts(step, slot)) is not None:
                ranked.append((distance, -slot.width, slot))
        if ranked:
            slot = min(ranked, key=lambda entry: entry[:2])[2]
            slots.append(slot)
            covered |= set(range(slot.position, slot.position + slot.positions))
    return slots


def _counters(
    steps: Sequence[ObservedStep], pool: list[Slot], runs: Sequence[Run], periods: Sequence[float], result: Explained
) -> None:
    for found in find_counters(steps, pool, runs):
        name = f"counter{len(result.counters) + 1}"
        first = steps[found.slots[0].step]
        if not found.started:
            for slot in found.slots:
                result.refuse(
                    steps[slot.step],
                    "it counts, but no recording of it has the start-up, so that its first value is unknown",
                )
            continue
        if any(
            abs(found.rule.step - period * ticks) < 0.03 * found.rule.step for period in periods for ticks in (1e3, 1e6)
        ):
            clock = find_clock(first, found.slots[0], runs, steps)
            if clock is not None:
                result.refuse(
                    first, "it cannot be told whether this is a counter or a clock; press a button in between"
                )
                continue
        if len(set(found.starts)) > 1:
            firsts = ", ".join(f"0x{start:X}" for start in sorted(set(found.starts))[:4])
            for slot in found.slots:
                result.refuse(
                    steps[slot.step],
                    f"it counts, but from another first value in each session ({firsts}), and nothing shows from where",
                )
            continue
        if not found.wrapped:
            highest = max(slot.value(seen) for slot in found.slots for seen in steps[slot.step].seen)
            result.notes.append(f"{first.label}: {name} was seen up to {highest}; how it goes on far beyond is assumed")
        result.counters[name] = found.rule
        for slot in found.slots + found.followers:
            part = counter_field(slot, name, slot not in found.followers)
            steps[slot.step].explain(slot.position, slot.positions, part)


def _clocks(
    step: ObservedStep, index: int, runs: Sequence[Run], steps: Sequence[ObservedStep], result: Explained
) -> None:
    for position in step.unexplained():
        if position not in step.unexplained():
            continue
        for slot in number_slots(step, index, position):
            if not step.free(slot.position, slot.positions):
                continue
            found = find_clock(step, slot, runs, steps)
            if found is not None:
                step.explain(slot.position, slot.positions, found[0])
                if found[1]:
                    result.notes.append(f"{step.label}: a clock in {found[0].unit}; {found[1]}")
                break


def _sums(step: ObservedStep) -> None:
    # the last first: a sum stands behind what it sums up, and no sum covers another
    for position in reversed(step.unexplained()):
        if position in step.unexplained():
            starts = [p for p in (position - 3, position - 2, position - 1, position) if p >= 100 or p == position]
            for start in starts:
                found = find_checksum(step, start)
                if found is not None:
                    step.explain(*found)
                    break


def _shared_sums(steps: Sequence[ObservedStep]) -> None:
    """Checksums that show only where messages of several steps are compared: of one button they may be all alike."""
    groups: dict[tuple[int, int, str], list[ObservedStep]] = {}
    for step in steps:
        if step.shape[2] > 0:
            place = step.section.rpartition(" ")[2]
            groups.setdefault((*step.shape[1:], place), []).append(step)
    for group in groups.values():
        together = ObservedStep("", "", [seen for step in group for seen in step.seen[:_ENOUGH]])
        _sums(together)
        for position, part in together.fields.items():
            for step in group:
                if step.free(position, together.widths[position]):
                    step.explain(position, together.widths[position], part)


def _unexplained(step: ObservedStep, left: Sequence[int]) -> str:
    place = ", ".join(f"parameter {p}" if p < 100 else f"byte {p - 100}" for p in left[:6])
    shown = step.seen[:: max(1, len(step.seen) // 4)][:4]
    values = ", ".join(
        f"0x{value_at(seen.transaction, left[0]):X} (packet {seen.transaction.number})" for seen in shown
    )
    return (
        f"{place} of operation 0x{step.shape[0]:04X} changes, and is neither a counter, a time, a checksum nor an echo"
        f" of what the camera sent: {values}"
    )
