"""Values that repeat what the camera sent before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..fields import Echo
from .observed import ObservedStep, Replies, Seen, Source, value_at
from .runs import Run
from .transactions import Transaction

_SAMPLES = 60
_FAR = 64
"""Bytes of a reply that are searched for a changed value."""
_WIDTHS = (8, 6, 4, 3, 2, 1)


def find_echo(step: ObservedStep, position: int, replies: Replies) -> tuple[int, int, Echo] | None:
    """First position, number of positions and field of an echo that covers ``position``; None where there is none.

    Every message whose source the recording has must agree, with at least two values and 24 bits of agreement.
    """
    sample = step.seen[:: max(1, len(step.seen) // _SAMPLES)]
    before = [(seen, replies.before(seen)) for seen in sample]
    if position < 100:
        found = _search(position, 4, before)
        return None if found is None else (position, 1, found)
    for width in _WIDTHS:
        if width <= step.room(position) and step.free(position, width):
            found = _search(position, width, before)
            if found is not None:
                return _widened(step, position, width, found, before)
    return None


Before = list[tuple[Seen, dict[object, Source]]]


def _search(position: int, width: int, before: Before) -> Echo | None:
    candidates: dict[Echo, int] | None = None
    agreed: dict[Echo, set[bytes]] = {}
    against: dict[Echo, int] = {}
    for seen, sources in before:
        if not sources:
            continue
        needle = _bytes(seen.transaction, position, width)
        fitting = dict(_candidates(needle, seen, sources, candidates))
        if candidates is None:
            if not any(source.certain for source in sources.values()):
                continue
            candidates = fitting
        for echo in list(candidates):
            source = sources.get(_key(echo))
            if echo in fitting:
                agreed.setdefault(echo, set()).add(needle)
            elif source is not None and source.certain:
                del candidates[echo]
            elif source is not None:
                against[echo] = against.get(echo, 0) + 1
        if not candidates:
            return None
    sure = [
        echo
        for echo in candidates or ()
        if len(values := agreed.get(echo, set())) >= 2
        and sum(_bits(value) for value in values) >= 24
        and against.get(echo, 0) <= max(2, 0.5 * len(values))
    ]
    if not candidates or not sure:
        return None
    return min(sure, key=lambda e: (e.add != 0 or e.xor != 0, candidates[e], e.request is not None, e.offset or 0))


def _bits(value: bytes) -> int:
    """How much an agreement in this value says."""
    return 8 * len(value.strip(b"\0"))


def _key(echo: Echo) -> object:
    return echo.operation if echo.request is None else (echo.operation, echo.request)


def _bytes(transaction: Transaction, position: int, width: int) -> bytes:
    if position < 100:
        return (transaction.params or ())[position].to_bytes(4, "little")
    return (transaction.data or b"")[position - 100 : position - 100 + width]


def _candidates(
    needle: bytes, seen: Seen, sources: dict[object, Source], known: dict[Echo, int] | None
) -> Iterable[tuple[Echo, int]]:
    """Echoes that would give ``needle`` here, with the age of their source in messages."""
    for key, (source, _) in sources.items():
        operation, request = key if isinstance(key, tuple) else (key, None)
        age = int(1000 * (seen.transaction.time - source.time))
        base = Echo(operation, request=request, bytes=len(needle))
        for big, wanted in ((False, needle), (True, needle[::-1])):
            if big and len(needle) == 1:
                continue
            at = source.reply.find(wanted)
            while at >= 0:
                yield replace(base, offset=at, big=big), age
                at = source.reply.find(wanted, at + 1)
        number = int.from_bytes(needle, "little")
        for i, value in enumerate(source.response_params):
            if value == number:
                yield replace(base, parameter=i), age
        if len(needle) >= 2:
            yield from _changed(base, number, source, age, known)


def _changed(
    base: Echo, number: int, source: Transaction, age: int, known: dict[Echo, int] | None
) -> Iterable[tuple[Echo, int]]:
    """The same with a constant added or exclusive-ored."""
    size = base.bytes
    places: list[tuple[int | None, int | None]] = []
    places += [(i, None) for i in range(min(len(source.reply), _FAR) - size + 1)]
    places += [(None, i) for i in range(len(source.response_params))]
    for offset, parameter in places:
        if offset is not None:
            value = int.from_bytes(source.reply[offset : offset + size], "little")
        else:
            value = source.response_params[parameter or 0]
        if value == number:
            continue
        for echo in (
            replace(base, offset=offset, parameter=parameter, add=(number - value) % (1 << 8 * size)),
            replace(base, offset=offset, parameter=parameter, xor=number ^ value),
        ):
            if known is None or echo in known:
                yield echo, age


def _widened(step: ObservedStep, position: int, width: int, echo: Echo, before: Before) -> tuple[int, int, Echo]:
    """Takes in neighbours up to a multiple of four that repeat the same source: bytes that were equal by chance."""
    while (
        position > 100
        and (position - 100) % 4
        and width < 4
        and echo.offset
        and not (echo.add or echo.xor or echo.big)
        and step.free(position - 1, 1)
    ):
        wider = replace(echo, offset=echo.offset - 1, bytes=width + 1)
        if not _holds(wider, position - 1, before) or width + 1 not in _WIDTHS:
            break
        position, width, echo = position - 1, width + 1, wider
    return position, width, echo


def _certain(source: Source | None) -> bool:
    return source is not None and source.certain


def _holds(echo: Echo, position: int, before: Before) -> bool:
    for seen, sources in before:
        source = sources.get(_key(echo))
        if source is not None and source.certain and echo.offset is not None:
            have = source.transaction.reply[echo.offset : echo.offset + echo.bytes]
            if have != _bytes(seen.transaction, position, echo.bytes):
                return False
    return True


def find_constant_echo(
    step: ObservedStep, replies: Replies, runs: Sequence[Run], steps: Sequence[ObservedStep]
) -> list[str]:
    """Explains constants that repeat what the camera sent in this session; says which may be such but cannot be told.

    Only values that are no chance: four bytes, three of them different and not 0.
    """
    problems = []
    before = _before(step, replies)
    varying = set(step.varying)
    for position, size in _places(step):
        if varying & set(range(position, position + size)) or not step.free(position, size):
            continue
        needle = _bytes(step.seen[0].transaction, position, 4)
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
        told, sessions = replies.values_of(_key(echo), echo)
        if len(told) > 1:
            step.explain(position, size, echo)
        elif sessions < 2:
            problems.append(
                f"{needle.hex(' ')} is what the camera sent in its answer to 0x{echo.operation:04X}; a second"
                f" recording that"
                " begins before the grip is switched on will show whether it is always the same"
            )
    return problems


def _before(step: ObservedStep, replies: Replies) -> Before:
    sample = step.seen[:: max(1, len(step.seen) // _SAMPLES)]
    return [(seen, replies.before(seen)) for seen in sample]


def _places(step: ObservedStep) -> list[tuple[int, int]]:
    """Where four bytes can stand: first position and number of positions."""
    return [(p, 1) for p in range(step.shape[1])] + [(100 + i, 4) for i in range(max(0, step.shape[2] - 3))]


def as_siblings(step: ObservedStep, position: int, replies: Replies) -> Echo | None:
    """What other messages of the same shape repeat at this position, where the recordings do not show what the camera
    sent before these."""
    before = _before(step, replies)
    for sibling in step.siblings:
        part = sibling.fields.get(position)
        if not isinstance(part, Echo):
            continue
        known = [(seen, source) for seen, sources in before if (source := sources.get(_key(part))) and source.certain]
        if all(_result(part, s.transaction) == _bytes(seen.transaction, position, part.bytes) for seen, s in known):
            return part
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
                sources = {key: before[key] for key in replies.of_the_session if _certain(before.get(key))}
                if sources:
                    told[seen.run] = _bytes(seen.transaction, position, 4), seen, sources
    if len({needle for needle, _, _ in told.values()}) < 2:
        return None
    common: set[Echo] | None = None
    for needle, seen, sources in told.values():
        fitting = {echo for echo, _ in _candidates(needle, seen, sources, None) if not echo.big}
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
    needle = _bytes(step.seen[0].transaction, position, 4)
    alike = {seen.run for r in step.relatives for seen in r.seen if _bytes(seen.transaction, position, 4) == needle}
    if step.section.endswith((" press", " release")) and len(alike) < 2 and replies.of_the_session:
        compared = {
            seen.run
            for relative in step.relatives
            for seen in relative.seen
            if any(_certain(replies.before(seen).get(key)) for key in replies.of_the_session)
        }
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
                    values.setdefault(seen.run, set()).add(_bytes(seen.transaction, position, 4))
                if all(values.get(run) == {needle} for run in recordings):
                    return part
    return None


def _constant_source(needle: bytes, before: Before) -> Echo | None:
    candidates: set[Echo] | None = None
    for seen, sources in before:
        if not sources:
            continue
        fitting = {echo for echo, _ in _candidates(needle, seen, sources, {}) if not (echo.add or echo.xor)}
        if candidates is None:
            candidates = fitting
        else:
            candidates = {echo for echo in candidates if echo in fitting or not _certain(sources.get(_key(echo)))}
    if not candidates:
        return None
    return min(candidates, key=lambda e: (e.big, e.request is not None, e.offset or 0, e.operation))
