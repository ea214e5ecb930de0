"""Values that are a time."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

from ..fields import UNITS, Clock
from .counter_gaps import Slot
from .counting import neighbours
from .observed import ObservedStep
from .runs import Run

_CLOCK_ERROR = 0.03
"""Seconds between a message's own time and the one in the capture."""

_UPTIME = 20.0
"""Seconds by which the starts of a clock may differ: the time from switching the grip on to opening the session. What
differs more is the clock of another device."""

_LONG_AGO = 1e9
"""Seconds since 1970 (the year 2001); a capture with smaller times does not say when it was made."""


def find_clock(
    step: ObservedStep, slot: Slot, runs: Sequence[Run], steps: Sequence[ObservedStep]
) -> tuple[Clock, str] | None:
    """The field and a remark, where the number grows with the time. ``steps``: all, of which some are explained
    already."""
    for unit, ticks in UNITS.items():
        tolerance = max(1.5, _CLOCK_ERROR * ticks)
        offsets: dict[int, list[float]] = {}
        span = 0.0
        for seen in step.seen:
            since = seen.transaction.time - runs[seen.run].opened
            offsets.setdefault(seen.run, []).append(slot.value(seen) - since * ticks)
        for before, after in neighbours(step.seen):
            span = max(span, abs(slot.value(after) - slot.value(before)))
        if span < 5 * tolerance and not (unit == "s" and span >= 2 and len(step.seen) >= 6):
            continue
        if any(max(values) - min(values) > 2 * tolerance for values in offsets.values()):
            continue
        if not any(len(values) >= 3 for values in offsets.values()):
            continue
        first = step.seen[0]
        if first.transaction.time > _LONG_AGO and abs(slot.value(first) - first.transaction.time * ticks) < max(
            tolerance, 5 * ticks
        ):
            return Clock(unit, 0, True, slot.width, slot.big), "time since 1970"
        starts = [statistics.median(values) for run, values in offsets.items() if runs[run].started]
        if not starts:
            same = _same_clock(steps, unit, {run: statistics.median(v) for run, v in offsets.items()}, runs)
            return None if same is None else (replace(same, bytes=slot.width, big=slot.big), "")
        if max(starts) - min(starts) > _UPTIME * ticks:
            continue
        agreed = max(starts) - min(starts) <= 0.5 * ticks
        remark = "" if agreed else "it starts anywhere; the first recording's start is used"
        # where the first packets of a session were lost it seems to have begun later, never earlier
        start = min(starts) if agreed else starts[0]
        if abs(start) <= tolerance:
            start = 0.0
        return Clock(unit, round(start), False, slot.width, slot.big), remark
    return None


def _same_clock(
    steps: Sequence[ObservedStep], unit: str, offsets: dict[int, float], runs: Sequence[Run]
) -> Clock | None:
    """The clock of another message of the same recordings that goes with this one."""
    ticks = UNITS[unit]
    for step in steps:
        for position, part in step.fields.items():
            if not isinstance(part, Clock) or part.unit != unit or part.unix:
                continue
            slot = Slot(0, position, part.bytes, part.big)
            theirs = [
                abs(slot.value(seen) - (seen.transaction.time - runs[seen.run].opened) * ticks - offsets[seen.run])
                for seen in step.seen
                if seen.run in offsets
            ]
            if theirs and statistics.median(theirs) <= max(1.5, _CLOCK_ERROR * ticks):
                return part
    return None
