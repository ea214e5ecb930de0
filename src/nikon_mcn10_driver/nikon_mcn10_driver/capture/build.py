"""Puts a profile together from what was learned: steps, buttons, heartbeats, timing."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence

from face_af_common.types import ActionKind

from ..fields import Field
from ..profile import Button, Heartbeat, Profile, Step
from .heartbeats import Beat
from .observed import ObservedStep
from .outcome import Learned, Recordings
from .startup import Marked
from .transactions import LOST
from .values import Explained

_SHORTEST_WAIT = 0.02
"""Seconds; shorter pauses between two steps are the camera's and the cable's."""

_GAP = 0.02
"""Seconds between two presses in a learned profile; the recordings prove only the finger's far longer pauses."""


def build(
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
            _heartbeat(_steps(sections[f"heartbeat {i + 1}"]), beat, marked) for i, beat in enumerate(learned.beats)
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


def _heartbeat(steps: tuple[Step, ...], beat: Beat, marked: Sequence[Marked]) -> Heartbeat:
    idle = _beats_while_idle(marked, beat)
    return Heartbeat(steps, round(min(60.0, max(0.05, beat.rest if idle else beat.period)), 3), idle)


def _beats_while_idle(marked: Sequence[Marked], beat: Beat) -> bool:
    """Whether the heartbeat's period begins anew with every press, instead of going on regardless."""
    anew, regardless = [], []
    for one in marked:
        messages = [(t, one.beating[i] and i not in one.claimed) for i, t in enumerate(one.run.transactions)]
        for i in range(max(1, one.begin), len(messages) - 1):
            (last, beating), (after, next_beats) = messages[i], messages[i + 1]
            if beating or not next_beats or (i + 1) in one.run.holes:
                continue
            before = next((t for t, was_beat in reversed(messages[:i]) if was_beat), None)
            if before is None:
                continue
            beats_since = (after.time - before.time) / beat.period
            regardless.append(abs(beats_since - round(beats_since)))
            anew.append(abs((after.time - max(last.time, last.end)) / beat.rest - 1.0))
    if len(anew) < 3:
        return True
    return statistics.median(anew) <= statistics.median(regardless) + 0.02
