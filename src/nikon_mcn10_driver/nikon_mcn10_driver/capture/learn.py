"""Learns a remote profile from recordings of the real grip, and says what it is not sure of."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from face_af_common.types import ActionKind

from ..fields import Field
from ..profile import Button, Heartbeat, Profile, Step
from .background import Beat, find_beats, kinds_of_run
from .observed import ObservedStep, Seen
from .presses import ButtonPattern, Press, Unclear, cut_presses, find_pattern, message_kinds
from .reader import Capture
from .runs import QUIET, Run, runs_of
from .startup import Edges, Marked, find_edges
from .transactions import LOST
from .values import Explained, explain

SHORTEST_QUIET = 6.5
"""Seconds of quiet after the start-up from which it is believed that there is no heartbeat."""

_SHORTEST_WAIT = 0.02
"""Seconds; shorter pauses between two steps are the camera's and the cable's."""

_GAP = 0.02
"""Seconds between two presses in a learned profile; the recordings prove only the finger's far longer pauses."""

Recordings = Mapping[str, Sequence[Capture]]
"""Captures by :data:`.runs.QUIET` and by button (left, right, up, down, fn1, fn2)."""


@dataclass
class Learned:
    """The outcome. ``profile`` None: nothing can be used; ``refusals``: why, or why buttons are missing in it.

    ``notes``: what is uncertain but was not guessed over; the rest is evidence for the report.
    """

    profile: Profile | None = None
    refusals: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    steps: list[ObservedStep] = field(default_factory=list)
    patterns: dict[str, ButtonPattern] = field(default_factory=dict)
    beats: list[Beat] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether everything that was recorded was learned."""
        return self.profile is not None and not self.refusals


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
    _build(name, origin, recordings, marked, sections, explained, learned)


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


def _build(
    name: str,
    origin: str,
    recordings: Recordings,
    marked: Sequence[Marked],
    sections: Mapping[str, list[ObservedStep]],
    explained: Explained,
    learned: Learned,
) -> None:
    for section, texts in explained.refusals.items():
        learned.refusals += texts
        if not section.endswith((" press", " release")):
            return
    buttons: dict[ActionKind, Button] = {}
    holds = []
    for button, pattern in learned.patterns.items():
        if any(f"{button} {part}" in explained.refusals for part in ("press", "release")):
            continue
        press, release = (_steps(sections[f"{button} {part}"]) for part in ("press", "release"))
        if not release:
            release = _state_release(sections, button)
        buttons[ActionKind[button.upper()]] = Button(press, release)
        if pattern.release:
            hold = min(b.time - a.end for a, b in zip(pattern.press[-1], pattern.release[0], strict=True))
            holds.append(min(hold, 0.7 * pattern.repeats) if pattern.repeats else hold)
    _refuse_equal(buttons, learned)
    if not buttons:
        learned.refusals.append("no button could be learned, so there is no profile")
        return
    infos = [info for captures in recordings.values() for capture in captures if (info := capture.info) is not None]
    if not infos:
        learned.notes.append("no recording has the camera's DeviceInfo; fill in match.models and match.serial yourself")
    busy = max((run.busy for run in learned.runs), default=0.0)
    sessions = [one.run.session for one in marked if one.run.started]
    learned.profile = Profile(
        name=name,
        origin=origin or _origin(recordings, infos),
        buttons=buttons,
        init=_steps(sections["init"]),
        close=_steps(sections["close"]),
        heartbeats=tuple(
            Heartbeat(
                _steps(sections[f"heartbeat {i + 1}"]),
                round(min(60.0, max(0.05, beat.period)), 3),
                _beats_while_idle(marked, beat),
            )
            for i, beat in enumerate(learned.beats)
        ),
        counters=explained.counters,
        hold=round(min(5.0, max(0.0, min(holds, default=0.02))), 3),
        gap=_GAP,
        busy_budget=round(min(5.0, max(Profile.busy_budget, 1.5 * busy)), 3),
        serial=f"^{re.escape(infos[0].serial)}$" if infos and infos[0].serial else "",
        models=(infos[0].model,) if infos and infos[0].model else (),
        session=max(set(sessions), key=sessions.count) if sessions else 1,
        poll_events=False,
    )


def _origin(recordings: Recordings, infos: Sequence[object]) -> str:
    files = sum(len(captures) for captures in recordings.values())
    camera = f"{infos[0].model}, firmware {infos[0].version}" if infos else "an unknown camera"  # type: ignore[attr-defined]
    return f"learned from {files} recordings of a grip on {camera}"


def _state_release(sections: Mapping[str, list[ObservedStep]], button: str) -> tuple[Step, ...]:
    """Where a press is a heartbeat with another value, its release is the heartbeat with the usual one."""
    press = sections[f"{button} press"]
    for section, steps in sections.items():
        if section.startswith("heartbeat") and len(press) == 1 and press[0].shape in [step.shape for step in steps]:
            return tuple(_steps(steps))
    return ()


def _refuse_equal(buttons: dict[ActionKind, Button], learned: Learned) -> None:
    """Two buttons that send the same were recorded wrongly."""
    for kind in list(buttons):
        twins = [other for other in buttons if other != kind and buttons[other].press == buttons[kind].press]
        if twins:
            names = " and ".join(sorted(k.name.lower() for k in (kind, *twins)))
            text = f"{names} send the same messages; was the same button pressed in both recordings?"
            if text not in learned.refusals:
                learned.refusals.append(text)
    if any("send the same messages" in text for text in learned.refusals):
        buttons.clear()


def _steps(observed: Sequence[ObservedStep]) -> tuple[Step, ...]:
    steps = []
    for step, following in zip(observed, [*observed, None][1:], strict=True):
        responses = {seen.transaction.response for seen in step.seen} - {LOST}
        accept = tuple(sorted(responses)) if responses - {0x2001} else Step.accept
        wait = 0.0
        if following is not None:
            ends = {(seen.run, seen.at): seen.transaction.end for seen in step.seen}
            gaps = [
                seen.transaction.time - ends[seen.run, seen.at - 1]
                for seen in following.seen
                if (seen.run, seen.at - 1) in ends
            ]
            if gaps and min(gaps) >= _SHORTEST_WAIT:
                wait = round(min(min(gaps), 5.0), 3)
        steps.append(Step(step.shape[0], _params(step), _data(step), accept, wait))
    return tuple(steps)


def _params(step: ObservedStep) -> tuple[int | Field, ...]:
    first = step.seen[0].transaction
    return tuple(step.fields.get(i, value) for i, value in enumerate(first.params or ()))


def _data(step: ObservedStep) -> bytes | tuple[bytes | Field, ...] | None:
    data = step.seen[0].transaction.data
    if data is None:
        return None
    parts: list[bytes | Field] = []
    at = 0
    for position in sorted(p for p in step.fields if p >= 100):
        begin = position - 100
        if begin > at:
            parts.append(data[at:begin])
        parts.append(step.fields[position])
        at = begin + step.widths[position]
    if not parts:
        return data
    if at < len(data):
        parts.append(data[at:])
    return tuple(parts)


def _beats_while_idle(marked: Sequence[Marked], beat: Beat) -> bool:
    """Whether the heartbeat's period begins anew with every press, instead of going on regardless."""
    anew, regardless = [], []
    for one in marked:
        times = [(t.time, one.beating[i] and i not in one.claimed) for i, t in enumerate(one.run.transactions)]
        for i in range(max(1, one.begin), len(times) - 1):
            (last, beating), (after, next_beats) = times[i], times[i + 1]
            if beating or not next_beats or (i + 1) in one.run.holes:
                continue
            before = next((at for at, was_beat in reversed(times[:i]) if was_beat), None)
            if before is None:
                continue
            beats_since = (after - before) / beat.period
            regardless.append(abs(beats_since - round(beats_since)))
            anew.append(abs((after - last) / beat.period - 1.0))
    if len(anew) < 3:
        return True
    return statistics.median(anew) <= statistics.median(regardless) + 0.02
