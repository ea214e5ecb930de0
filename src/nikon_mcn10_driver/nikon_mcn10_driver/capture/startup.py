"""The start-up and the closing of a session: what is sent once, before and after everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from .heartbeats import Beat
from .message_kinds import Kind
from .observed import Seen
from .presses import Unclear
from .runs import QUIET, Run, shape_of

_LONGEST_PAUSE = 2.5
"""Seconds between two steps of a start-up, at most."""

_LATEST_CLOSE = 1.5
"""Seconds before CloseSession within which closing steps come."""


@dataclass
class Marked:
    """A run with what is known of its messages. ``beating``: index -> is it a heartbeat; ``begin`` and ``end``:
    presses lie between these indices."""

    run: Run
    index: int
    kinds: list[Kind]
    beating: list[bool]
    begin: int = 0
    end: int = 0
    claimed: set[int] = field(default_factory=set)

    def others(self, begin: int = 0, end: int | None = None) -> list[int]:
        """Indices of what is no heartbeat."""
        stop = len(self.beating) if end is None else end
        return [i for i in range(begin, stop) if not self.beating[i]]

    def whole(self, end: int) -> bool:
        """Whether nothing is missing before index ``end``."""
        return not any(at <= end for at in self.run.holes)


@dataclass
class Edges:
    """Start-up and closing: for each step its messages, one a session."""

    init: list[list[Seen]]
    close: list[list[Seen]]
    notes: list[str]


def find_edges(runs: Sequence[Marked], beats: Sequence[Beat]) -> Edges:
    """Marks in every run where presses may lie; :class:`Unclear` when the start-up cannot be told."""
    notes: list[str] = []
    longest = max((beat.period for beat in beats), default=0.0)
    started = [marked for marked in runs if marked.run.started]
    if not started:
        raise Unclear("no recording has the start-up: begin one before the grip is switched on")
    count, seconds = _extent(started, longest)
    for marked in runs:
        marked.end = len(marked.beating)
        marked.begin = _prefix(marked, count, seconds) if marked.run.started else 0
    _include_first_beat(started, beats)
    init = _agree(started, notes)
    last = max((step[0].transaction.tid for step in init), default=0)
    for marked in runs:
        if not marked.run.started:
            # a recording that begins within the start-up still shows its end
            while marked.begin < marked.end and marked.run.transactions[marked.begin].tid <= last < 1000:
                marked.begin += 1
    close = _closing(runs)
    return Edges(init, close, notes)


def _extent(started: Sequence[Marked], longest: float) -> tuple[int, float]:
    """How many messages and seconds a start-up has, from the quiet recordings where there are any."""
    rough: list[tuple[int, float]] = []
    found: dict[bool, list[tuple[int, float]]] = {True: [], False: []}
    for marked in started:
        run = marked.run
        last = run.opened
        number = end = 0
        for i in marked.others():
            at = run.transactions[i].time
            if at - last > max(_LONGEST_PAUSE, 1.5 * longest):
                break
            number, last, end = number + 1, at, i + 1
        if marked.whole(end):
            found[run.kind == QUIET].append((number, last - run.opened))
        else:
            lossy = sum(missing for at, missing in run.holes.items() if at <= end)
            rough.append((number + lossy, last - run.opened))
    # presses may follow a start-up closely; the shortest is the one that has the fewest of them
    return max(found[True]) if found[True] else min(found[False] or rough)


def _prefix(marked: Marked, count: int, seconds: float) -> int:
    run = marked.run
    taken = 0
    missing = sum(number for at, number in run.holes.items() if run.transactions and at < len(run.transactions))
    for i in marked.others()[:count]:
        if run.transactions[i].time - run.opened > 1.5 * seconds + 0.5:
            break
        taken = i + 1
    return taken if count or missing else 0


def _include_first_beat(started: Sequence[Marked], beats: Sequence[Beat]) -> None:
    """A heartbeat that follows the start-up at once, and not after its period, belongs to the start-up."""
    if not beats:
        return
    number, period = len(beats[0].kinds), beats[0].period
    early = []
    for marked in started:
        run = marked.run
        before = run.transactions[marked.begin - 1].time if marked.begin else run.opened
        block = range(marked.begin, min(marked.begin + number, len(run.transactions)))
        early.append(
            len(block) == number
            and all(marked.beating[i] for i in block)
            and run.transactions[block[0]].time - before < 0.4 * period
        )
    if early and sum(early) > 0.6 * len(early):
        for marked, is_early in zip(started, early, strict=True):
            if is_early:
                marked.begin += number


def _agree(started: Sequence[Marked], notes: list[str]) -> list[list[Seen]]:
    """The steps on which the whole start-ups agree."""
    whole = [marked for marked in started if marked.whole(marked.begin)]
    if not whole:
        return _merge_by_id(started)
    for beating_too in (True, False):
        forms = Counter(_form(marked, beating_too) for marked in whole)
        form, votes = forms.most_common(1)[0]
        if votes == len(whole):
            break
    else:
        if votes < 2 or votes < 0.7 * len(whole):
            where = "; ".join(f"{m.run.source}: {len(_form(m, True))} steps" for m in whole)
            raise Unclear(f"the start-ups of the recordings differ ({where}); record them again in the same way")
        notes.append(f"{len(whole) - votes} of {len(whole)} start-ups differ and were outvoted")
    agreeing = [marked for marked in whole if _form(marked, beating_too) == form]
    steps: list[list[Seen]] = [[] for _ in form]
    for marked in agreeing:
        indices = range(marked.begin) if beating_too else marked.others(0, marked.begin)
        for step, i in zip(steps, indices, strict=True):
            step.append(Seen(marked.index, i, marked.run.transactions[i]))
    return steps


def _form(marked: Marked, beating_too: bool) -> tuple[object, ...]:
    indices = range(marked.begin) if beating_too else marked.others(0, marked.begin)
    return tuple(shape_of(marked.run.transactions[i]) for i in indices)


def _merge_by_id(started: Sequence[Marked]) -> list[list[Seen]]:
    """Every start-up has lost something: put together by transaction id what the others have kept."""
    by_id: dict[int, list[Seen]] = {}
    for marked in started:
        for i in range(marked.begin):
            transaction = marked.run.transactions[i]
            by_id.setdefault(transaction.tid, []).append(Seen(marked.index, i, transaction))
    last = max(by_id, default=0)
    missing = [tid for tid in range(1, last + 1) if tid not in by_id]
    if missing or last > 1000:
        raise Unclear(
            f"every recording has lost packets of the start-up (operation {missing[:3]} is in none); record it again"
        )
    steps = [by_id[tid] for tid in range(1, last + 1)]
    for step in steps:
        if len({shape_of(seen.transaction) for seen in step}) > 1:
            raise Unclear("the start-ups of the recordings differ, and none is complete; record them again")
    return steps


def _closing(runs: Sequence[Marked]) -> list[list[Seen]]:
    """Steps before CloseSession, from the quiet recordings, or from what recordings of several buttons share."""
    closed = [marked for marked in runs if marked.run.closed]
    tails = {id(marked): _tail(marked) for marked in closed}
    quiet = [marked for marked in closed if marked.run.kind == QUIET]
    sure = quiet or (closed if len({marked.run.kind for marked in closed}) > 1 else [])
    whole = [m for m in sure if not any(at >= m.end - len(tails[id(m)]) for at in m.run.holes)]
    if not whole:
        return []
    number = min(len(tails[id(marked)]) for marked in whole)
    while number and len({_shapes(m, tails[id(m)][-number:], not quiet) for m in whole}) > 1:
        number -= 1
    if not number:
        return []
    form = _shapes(whole[0], tails[id(whole[0])][-number:], not quiet)
    steps: list[list[Seen]] = [[] for _ in range(number)]
    for marked in closed:
        indices = tails[id(marked)][-number:]
        if len(indices) == number and _shapes(marked, indices, not quiet) == form:
            marked.end = indices[0]
            for step, i in zip(steps, indices, strict=True):
                step.append(Seen(marked.index, i, marked.run.transactions[i]))
    return steps


def _tail(marked: Marked) -> list[int]:
    run = marked.run
    if not run.transactions:
        return []
    end = run.transactions[-1].time
    return [i for i in marked.others(marked.begin) if end - run.transactions[i].time < _LATEST_CLOSE]


def _shapes(marked: Marked, indices: Sequence[int], exactly: bool) -> tuple[object, ...]:
    messages = [marked.run.transactions[i] for i in indices]
    return tuple((t.operation, t.params, t.data) if exactly else shape_of(t) for t in messages)
