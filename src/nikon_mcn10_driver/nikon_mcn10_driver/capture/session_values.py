"""Constants that belong to the session: what the camera sent once, repeated as it is or changed."""

from __future__ import annotations

from collections.abc import Sequence

from ..fields import Echo
from .echoes import Before, bytes_at, candidates_for, certain, key_of, sources_before
from .observed import ObservedStep, Replies, Seen, Source, value_at
from .runs import Run
from .transactions import Transaction


def find_constant_echo(
    step: ObservedStep, replies: Replies, runs: Sequence[Run], steps: Sequence[ObservedStep]
) -> list[str]:
    """Explains constants that repeat what the camera sent in this session; says which may be such but cannot be told.

    Only values that are no chance: four bytes, three of them different and not 0.
    """
    problems = []
    before = sources_before(step, replies)
    varying = set(step.varying)
    for position, size in _places(step):
        if varying & set(range(position, position + size)) or not step.free(position, size):
            continue
        needle = bytes_at(step.seen[0].transaction, position, 4)
        if len(set(needle) - {0}) < 3:
            continue
        echo = _constant_source(needle, before)
        if echo is None:
            known = (
                _as_others_in_the_run(step, needle, steps)
                or _changed_by_session(step, position, replies)
                or as_siblings(step, position, replies)
            )
            if known is not None:
                step.explain(position, size, known)
            elif _may_be_of_the_session(step, position, size, replies, runs, steps):
                problems.append(
                    f"{needle.hex(' ')} may belong to the session: the recordings do not show where it comes from;"
                    " record this once more, from before the grip is switched on"
                )
            continue
        told, sessions = replies.values_of(key_of(echo), echo)
        if len(told) > 1:
            step.explain(position, size, echo)
        elif sessions < 2:
            problems.append(
                f"{needle.hex(' ')} is what the camera sent in its answer to 0x{echo.operation:04X}; a second"
                f" recording that"
                " begins before the grip is switched on will show whether it is always the same"
            )
    return problems


def _places(step: ObservedStep) -> list[tuple[int, int]]:
    """Where four bytes can stand: first position and number of positions."""
    return [(p, 1) for p in range(step.shape[1])] + [(100 + i, 4) for i in range(max(0, step.shape[2] - 3))]


def as_siblings(step: ObservedStep, position: int, replies: Replies) -> Echo | None:
    """What other messages of the same shape repeat at this position, where the recordings do not show what the camera
    sent before these."""
    before = sources_before(step, replies)
    for sibling in step.siblings:
        part = sibling.fields.get(position)
        if not isinstance(part, Echo):
            continue
        known = [(seen, source) for seen, sources in before if (source := sources.get(key_of(part))) and source.certain]
        if all(_result(part, s.transaction) == bytes_at(seen.transaction, position, part.bytes) for seen, s in known):
            return part
    return None


def session_echo(step: ObservedStep, position: int, replies: Replies) -> Echo | None:
    """What the camera sent in the one session that shows it, for a value that is another in each session but always
    the same within one: four bytes that agree are no chance then."""
    if position >= 100 and step.room(position) < 4:
        return None
    first = {seen.run: seen for seen in reversed(step.seen)}
    places = range(position, position + (1 if position < 100 else 4))
    if len(first) < 2 or not all(_of_the_session(step, place) for place in places):
        return None
    for seen in first.values():
        sources = {key: source for key, source in replies.before(seen).items() if certain(source)}
        needle = bytes_at(seen.transaction, position, 4)
        if sources and len(set(needle) - {0}) >= 3:
            echo = _constant_source(needle, [(seen, sources)])
            if echo is not None and key_of(echo) in replies.of_the_session:
                return echo
    return None


def _result(echo: Echo, source: Transaction) -> bytes:
    """What the driver would send for this answer of the camera."""
    if echo.parameter is not None:
        number = (*source.response_params, *[0] * 5)[echo.parameter]
    else:
        number = int.from_bytes(source.reply[echo.offset or 0 :][: echo.bytes], "little")
    number = ((number ^ echo.xor) + echo.add) % (1 << 8 * echo.bytes)
    return number.to_bytes(echo.bytes, "big" if echo.big else "little")


def _changed_by_session(step: ObservedStep, position: int, replies: Replies) -> Echo | None:
    """What the camera sent, changed in the same way in every session: seen only where several are compared."""
    told: dict[int, tuple[bytes, Seen, dict[object, Source]]] = {}
    for relative in step.relatives:
        for seen in relative.seen:
            if seen.run not in told:
                before = replies.before(seen)
                sources = {key: before[key] for key in replies.of_the_session if certain(before.get(key))}
                if sources:
                    told[seen.run] = bytes_at(seen.transaction, position, 4), seen, sources
    if len({needle for needle, _, _ in told.values()}) < 2:
        return None
    common: set[Echo] | None = None
    for needle, seen, sources in told.values():
        fitting = {echo for echo, _ in candidates_for(needle, seen, sources, None) if not echo.big}
        common = fitting if common is None else common & fitting
        if not common:
            return None
    return min(common or (), key=lambda e: (e.add != 0, e.request is not None, e.offset or 0, e.operation))


def _may_be_of_the_session(
    step: ObservedStep,
    position: int,
    size: int,
    replies: Replies,
    runs: Sequence[Run],
    steps: Sequence[ObservedStep],
) -> bool:
    """Whether a constant may be made of what the camera sent, and the recordings cannot show that it is not."""
    if any(isinstance(sibling.fields.get(position), Echo) for sibling in step.siblings):
        return True
    needle = bytes_at(step.seen[0].transaction, position, 4)
    alike = {seen.run for r in step.relatives for seen in r.seen if bytes_at(seen.transaction, position, 4) == needle}
    if step.section.endswith((" press", " release")) and len(alike) < 2 and replies.of_the_session:
        first = {seen.run: seen for relative in step.relatives for seen in reversed(relative.seen)}
        compared = [
            seen
            for seen in first.values()
            if any(certain(replies.before(seen).get(key)) for key in replies.of_the_session)
        ]
        if len(compared) < 2:
            return True
    return (
        not step.clean(runs)
        and not any(other.clean(runs) and other.free(position, size) for other in step.siblings)
        and any(
            isinstance(part, Echo) and _of_the_session(other, place)
            for other in steps
            for place, part in other.fields.items()
        )
    )


def _of_the_session(step: ObservedStep, position: int) -> bool:
    """Whether the value at a position is always the same within a session."""
    values: dict[int, set[int]] = {}
    for seen in step.seen:
        values.setdefault(seen.run, set()).add(value_at(seen.transaction, position))
    return all(len(one) == 1 for one in values.values())


def _as_others_in_the_run(step: ObservedStep, needle: bytes, steps: Sequence[ObservedStep]) -> Echo | None:
    """The echo that gives this value in another message of every one of the same recordings."""
    recordings = {seen.run for seen in step.seen}
    for other in steps:
        for position, part in other.fields.items():
            if isinstance(part, Echo) and part.bytes == 4 and not part.big:
                values: dict[int, set[bytes]] = {}
                for seen in other.seen:
                    values.setdefault(seen.run, set()).add(bytes_at(seen.transaction, position, 4))
                if all(values.get(run) == {needle} for run in recordings):
                    return part
    return None


def _constant_source(needle: bytes, before: Before) -> Echo | None:
    candidates: set[Echo] | None = None
    for seen, sources in before:
        if not sources:
            continue
        fitting = {echo for echo, _ in candidates_for(needle, seen, sources, {}) if not (echo.add or echo.xor)}
        if candidates is None:
            candidates = fitting
        else:
            candidates = {echo for echo in candidates if echo in fitting or not certain(sources.get(key_of(echo)))}
    if not candidates:
        return None
    return min(candidates, key=lambda e: (e.big, e.request is not None, e.offset or 0, e.operation))
