"""Learns a remote profile from recordings of the real grip, and says what it is not sure of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .build import build
from .heartbeats import Beat, find_beats, kinds_of_run
from .observed import ObservedStep, Seen
from .outcome import Learned, Recordings
from .presses import ButtonPattern, Press, Unclear, cut_presses, find_pattern, message_kinds
from .runs import QUIET, Run, runs_of
from .startup import Edges, Marked, find_edges
from .values import explain

SHORTEST_QUIET = 6.5
"""Seconds of quiet after the start-up from which it is believed that there is no heartbeat."""


def learn(recordings: Recordings, name: str = "learned", origin: str = "") -> Learned:
    """The profile that ``recordings`` show. Never raises for what is in them."""
    learned = Learned()
    try:
        _learn(recordings, name, origin, learned)
    except Unclear as reason:
        learned.refusals.insert(0, str(reason))
    return learned


def _learn(recordings: Recordings, name: str, origin: str, learned: Learned) -> None:
    runs = _runs(recordings, learned)
    quiet = [run for run in runs if run.kind == QUIET]
    if not quiet:
        raise Unclear("a quiet recording is needed, in which nothing is pressed (--quiet)")
    beats, irregular = find_beats(quiet)
    learned.beats = beats
    if irregular:
        codes = ", ".join(sorted({f"0x{kind.shape[0]:04X}" for kind in irregular}))
        raise Unclear(f"in the quiet recording operations come again and again without a rhythm: {codes}")
    marked = [
        Marked(run, i, kinds, [any(k.fits(t) for k in kinds) for t in run.transactions])
        for i, (run, kinds) in enumerate((run, kinds_of_run(beats, run)) for run in runs)
    ]
    edges = find_edges(marked, beats)
    learned.notes += edges.notes
    _check_quiet(marked, beats, learned)
    patterns = _patterns(marked, beats, learned)
    learned.patterns = patterns
    sections = _sections(edges, marked, beats, patterns)
    learned.steps = [step for steps in sections.values() for step in steps]
    _know_siblings(learned.steps)
    explained = explain(learned.steps, runs, [beat.period for beat in beats])
    learned.notes += explained.notes
    build(name, origin, recordings, marked, sections, explained, learned)


def _runs(recordings: Recordings, learned: Learned) -> list[Run]:
    runs: list[Run] = []
    for kind, captures in recordings.items():
        for capture in captures:
            learned.notes += [f"{capture.name}: {problem}" for problem in capture.problems]
            if not capture.timed:
                raise Unclear(f"{capture.name}: these lines have no times, which are needed to tell press and release")
            found = runs_of(kind, capture)
            unsure = sum(run.unsure for run in found)
            if unsure > 0.2 * len(capture.transactions):
                raise Unclear(f"{capture.name}: it does not say which way the data of {unsure} operations went")
            lost = sum(run.lost for run in found)
            if lost:
                learned.notes.append(f"{capture.name}: {lost} transactions were lost or came incomplete")
            runs += found
    learned.runs = runs
    return runs


def _check_quiet(marked: Sequence[Marked], beats: Sequence[Beat], learned: Learned) -> None:
    longest = 0.0
    for one in marked:
        if one.run.kind != QUIET:
            continue
        run = one.run
        stray = one.others(one.begin, one.end)
        if stray:
            packets = ", ".join(str(run.transactions[i].number) for i in stray[:5])
            raise Unclear(
                f"{run.source}: {len(stray)} operations of the quiet recording are neither start-up nor heartbeat"
                f" (packets {packets}); record it again without touching the grip"
            )
        begin = run.transactions[one.begin - 1].time if one.begin else run.opened
        longest = max(longest, run.transactions[-1].time - begin)
    if not beats:
        if longest < SHORTEST_QUIET:
            learned.notes.append("no heartbeat was seen; record the quiet file for at least ten seconds to be sure")
        else:
            learned.notes.append(f"no heartbeat in {longest:.0f} s of quiet")


def _patterns(marked: Sequence[Marked], beats: Sequence[Beat], learned: Learned) -> dict[str, ButtonPattern]:
    presses: dict[str, list[Press]] = {}
    for one in marked:
        if one.run.kind == QUIET:
            continue
        found = cut_presses(one.run, one.others(one.begin, one.end))
        presses.setdefault(one.run.kind, []).extend(found)
        _early_beats(one, found, beats)
    if not presses:
        learned.notes.append("there is no recording of a button")
    patterns = {}
    everyone = [press for seen in presses.values() for press in seen if not press.lossy]
    releases = sum(press.early for press in everyone) >= 0.55 * max(1, len(everyone))
    for button, seen in presses.items():
        try:
            for press in seen:
                if not releases:
                    press.beat_after = None
                elif press.beat_after is not None:
                    press.messages.append(press.beat_after)
                else:
                    press.lossy = True
            if not seen:
                raise Unclear(f"{button}: nothing is pressed in its recording")
            kinds = message_kinds(seen)
            patterns[button] = find_pattern(button, seen, kinds)
            learned.notes += [f"{button}: {note}" for note in patterns[button].notes]
        except Unclear as reason:
            learned.refusals.append(str(reason))
    for one in marked:
        taken = {id(press.beat_after) for seen in presses.values() for press in seen if press.beat_after is not None}
        one.claimed = {i for i, t in enumerate(one.run.transactions) if id(t) in taken}
    return patterns


def _early_beats(one: Marked, presses: Sequence[Press], beats: Sequence[Beat]) -> None:
    """Finds heartbeats that come right behind a press, though neither their period nor the rhythm says so."""
    if not beats:
        return
    period = beats[0].period
    transactions = one.run.transactions
    where = {id(t): i for i, t in enumerate(transactions)}
    for press in presses:
        first, last = where[id(press.messages[0])], where[id(press.messages[-1])]
        after = next((i for i in range(last + 1, len(transactions)) if one.beating[i]), None)
        before = next((i for i in range(first - 1, -1, -1) if one.beating[i]), None)
        if after is None or any(last < at <= after for at in one.run.holes):
            continue
        since_press = transactions[after].time - transactions[last].time
        if since_press > 0.8 * period:
            continue
        press.beat_after = transactions[after]
        if before is not None:
            beats_since = (transactions[after].time - transactions[before].time) / period
            press.early = abs(beats_since - round(beats_since)) >= 0.12


def _sections(
    edges: Edges, marked: Sequence[Marked], beats: Sequence[Beat], patterns: Mapping[str, ButtonPattern]
) -> dict[str, list[ObservedStep]]:
    """All steps of the profile with the messages they were seen in."""
    where = {id(t): Seen(one.index, i, t) for one in marked for i, t in enumerate(one.run.transactions)}
    sections: dict[str, list[ObservedStep]] = {}

    def add(section: str, messages: Sequence[Sequence[Seen]]) -> None:
        sections[section] = [
            ObservedStep(f"{section}, step {i}", section, sorted(seen, key=lambda s: (s.run, s.at)))
            for i, seen in enumerate(messages, 1)
            if seen
        ]

    add("init", edges.init)
    for number, beat in enumerate(beats):
        first = sum(len(other.kinds) for other in beats[:number])
        steps: list[list[Seen]] = [[] for _ in beat.kinds]
        for one in marked:
            kinds = one.kinds[first : first + len(beat.kinds)]
            for i, transaction in enumerate(one.run.transactions):
                if one.beating[i] and i >= one.begin and i not in one.claimed:
                    for step, kind in zip(steps, kinds, strict=True):
                        if kind.fits(transaction):
                            step.append(Seen(one.index, i, transaction))
                            break
        add(f"heartbeat {number + 1}", steps)
    for button, pattern in patterns.items():
        add(f"{button} press", [[where[id(t)] for t in messages] for messages in pattern.press])
        add(f"{button} release", [[where[id(t)] for t in messages] for messages in pattern.release])
    add("close", edges.close)
    return sections


def _know_siblings(steps: Sequence[ObservedStep]) -> None:
    for step in steps:
        step.siblings = [other for other in steps if other is not step and other.shape == step.shape]
        place = step.label.partition(" ")[2]
        step.relatives = [
            other for other in steps if other.shape[1:] == step.shape[1:] and other.label.partition(" ")[2] == place
        ]
