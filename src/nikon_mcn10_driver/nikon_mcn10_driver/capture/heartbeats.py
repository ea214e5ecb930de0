"""What a grip sends all the time: messages that come at regular intervals while nothing is pressed."""

from __future__ import annotations

import itertools
import statistics
from bisect import bisect
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from .message_kinds import ENOUGH, MIN_BEATS, Kind, kind_in_run, kinds_in
from .runs import Run, Shape
from .transactions import Transaction

_TOLERANCE = 0.25
"""How far an interval may be from the period (a share of it)."""

_LATEST_BEAT = 4
"""Periods before the end of a recording in which a heartbeat has come at least once."""


@dataclass
class Beat:
    """Kinds of messages that come together every ``period`` seconds, in their order.

    ``rest``: seconds from the end of what was sent before until it comes; shorter than ``period`` where the computer or
    the camera is slow.
    """

    period: float
    kinds: list[Kind]
    rest: float = 0.0


def find_beats(quiet: Sequence[Run]) -> tuple[list[Beat], list[Kind]]:
    """The heartbeats of the quiet recordings, and what else came there again and again without a rhythm."""
    messages = [t for run in quiet for t in run.transactions]
    regular: list[tuple[Kind, float, list[Transaction]]] = []
    irregular = []
    for kind, members in kinds_in(messages):
        period = _period(kind, members, quiet)
        if period and _goes_on(members, quiet, period):
            regular.append((kind, period, members))
        elif len(members) >= 3 * max(1, sum(run.started for run in quiet)) and _spread_out(members, quiet):
            irregular.append(kind)
    beats = _together(_merged(regular, quiet), quiet)
    for beat in beats:
        # between two rhythms nothing rests
        beat.rest = _rest(beat, quiet) if len(beats) == 1 else beat.period
    return beats, irregular


def _rest(beat: Beat, quiet: Sequence[Run]) -> float:
    first = beat.kinds[0]
    gaps = [
        now.time - before.end
        for run in quiet
        for i, (before, now) in enumerate(itertools.pairwise(run.transactions), 1)
        if first.fits(now) and before.end >= before.time and i not in run.holes
    ]
    usual = [gap for gap in gaps if 0.25 * beat.period <= gap <= beat.period]
    # a timer is late, never early
    return sorted(usual)[len(usual) // 8] if len(usual) >= MIN_BEATS else beat.period


def _intervals(members: Sequence[Transaction], quiet: Sequence[Run]) -> list[float]:
    mine = {id(t) for t in members}
    intervals: list[float] = []
    for run in quiet:
        times = [t.time for t in run.transactions if id(t) in mine]
        intervals += [b - a for a, b in itertools.pairwise(times)]
    return intervals


def _period(kind: Kind, members: Sequence[Transaction], quiet: Sequence[Run]) -> float:
    """Seconds between two of them; 0 when they are not regular. Single ones may be lost, or sent at the start."""
    intervals = [i for i in _intervals(members, quiet) if i > 0.02]
    if len(members) < MIN_BEATS or len(intervals) < MIN_BEATS - 1:
        return 0.0
    period = statistics.median(intervals)
    fitting = [i for i in intervals if _multiple(i, period)]
    if len(fitting) < 0.75 * len(intervals):
        return 0.0
    return statistics.median([i for i in fitting if abs(i - period) <= _TOLERANCE * period])


def _multiple(interval: float, period: float) -> bool:
    times = max(1, round(interval / period))
    return times <= 4 and abs(interval - times * period) <= _TOLERANCE * period


def _goes_on(members: Sequence[Transaction], quiet: Sequence[Run], period: float) -> bool:
    """Whether they come until the end of a recording, unlike the steps of a slow start-up."""
    mine = {id(t) for t in members}
    for run in quiet:
        times = [t.time for t in run.transactions if id(t) in mine]
        if len(times) >= MIN_BEATS and run.transactions[-1].time - times[-1] <= _LATEST_BEAT * period + 0.5:
            return True
    return False


def _spread_out(members: Sequence[Transaction], quiet: Sequence[Run]) -> bool:
    """Whether they come all through a recording, unlike the steps of a start-up."""
    mine = {id(t) for t in members}
    for run in quiet:
        end = run.transactions[-1].time
        times = [t.time for t in run.transactions if id(t) in mine]
        if len(times) >= 3 and times[-1] - times[0] > 0.5 * (end - run.transactions[0].time):
            return True
    return False


def _merged(
    regular: list[tuple[Kind, float, list[Transaction]]], quiet: Sequence[Run]
) -> list[tuple[Kind, float, list[Transaction]]]:
    """Kinds of one shape that take turns, or belong to different sessions, are one kind with a value that changes."""
    done = []
    runs = {id(t): i for i, run in enumerate(quiet) for t in run.transactions}
    by_shape: dict[Shape, list[tuple[Kind, float, list[Transaction]]]] = defaultdict(list)
    for entry in regular:
        by_shape[entry[0].shape].append(entry)
    for shape, entries in by_shape.items():
        if len(entries) > 1:
            everyone = {id(t) for _, _, members in entries for t in members}
            members = [t for run in quiet for t in run.transactions if id(t) in everyone]
            same = {p: v for p, v in entries[0][0].fixed.items() if all(e[0].fixed.get(p) == v for e in entries)}
            kind = Kind(shape, same)
            period = _period(kind, members, quiet)
            longest = max(entry[1] for entry in entries)
            turns = period < 0.8 * longest and _take_turns(members)
            where = [{runs[id(t)] for t in entry[2]} for entry in entries]
            apart = sum(len(w) for w in where) == len(set().union(*where))
            if period and (turns or apart):
                done.append((kind, period, members))
                continue
        done += entries
    return done


def _take_turns(members: Sequence[Transaction]) -> bool:
    """Equal distances between neighbours, so that they do not merely follow one another at once."""
    times = [t.time for t in members]
    gaps = [b - a for a, b in itertools.pairwise(times)]
    return bool(gaps) and min(gaps) > 0.5 * statistics.median(gaps)


def _together(regular: list[tuple[Kind, float, list[Transaction]]], quiet: Sequence[Run]) -> list[Beat]:
    """Kinds with the same period that always come close behind one another are one heartbeat of several steps."""
    waiting = sorted(regular, key=lambda entry: entry[2][0].time)
    beats: list[Beat] = []
    while waiting:
        kind, period, members = waiting.pop(0)
        group = [(kind, members)]
        for other in list(waiting):
            if abs(other[1] - period) <= 0.1 * period and _delay(members, other[2], period) is not None:
                waiting.remove(other)
                group.append((other[0], other[2]))
        order = _order([m for _, m in group], period)
        beats.append(Beat(period, [group[i][0] for i in order]))
    return beats


def _delays(first: Sequence[Transaction], second: Sequence[Transaction], period: float) -> list[float]:
    """Seconds from each message to the nearest of the other kind, where there is one in the same beat."""
    times = sorted(t.time for t in second)
    delays = []
    for transaction in first[:ENOUGH]:
        at = bisect(times, transaction.time)
        nearest = min(times[max(0, at - 1) : at + 1], key=lambda time: abs(time - transaction.time))
        if abs(nearest - transaction.time) < 0.5 * period:
            delays.append(nearest - transaction.time)
    return delays


def _delay(first: Sequence[Transaction], second: Sequence[Transaction], period: float) -> float | None:
    """The middle of :func:`_delays` when they are steady and short; else None."""
    delays = _delays(first, second, period)
    if len(delays) < max(2, 0.6 * min(len(first), ENOUGH)):
        return None
    middle = statistics.median(delays)
    near = sum(abs(delay - middle) < 0.05 for delay in delays)
    return middle if near >= 0.75 * len(delays) and abs(middle) < min(0.12, 0.4 * period) else None


def _order(groups: Sequence[Sequence[Transaction]], period: float) -> list[int]:
    """Indices of the groups in the order in which they come within a beat."""
    offsets = [_delays(groups[0], group, period) for group in groups]
    return sorted(range(len(groups)), key=lambda i: statistics.median(offsets[i]) if offsets[i] else 0.0)


def kinds_of_run(beats: Sequence[Beat], run: Run) -> list[Kind]:
    """The heartbeats' kinds as this run has them."""
    return [kind_in_run(run, kind) for beat in beats for kind in beat.kinds]
