"""Values that repeat what the camera sent before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..fields import Echo
from .observed import ObservedStep, Replies, Seen, Source
from .transactions import Transaction

_SAMPLES = 60
_FAR = 64
"""Bytes of a reply that are searched for a changed value."""
_WIDTHS = (8, 6, 4, 3, 2, 1)


def find_echo(step: ObservedStep, position: int, replies: Replies) -> tuple[int, int, Echo] | None:
    """First position, number of positions and field of an echo that covers ``position``; None where there is none.

    Every message whose source the recording has must agree, with at least two values and 24 bits of agreement.
    """
    before = sources_before(step, replies)
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


def sources_before(step: ObservedStep, replies: Replies) -> Before:
    """Messages of a step, each with what the camera had answered before."""
    sample = step.seen[:: max(1, len(step.seen) // _SAMPLES)]
    return [(seen, replies.before(seen)) for seen in sample]


def _search(position: int, width: int, before: Before) -> Echo | None:
    candidates: dict[Echo, int] | None = None
    agreed: dict[Echo, set[bytes]] = {}
    against: dict[Echo, int] = {}
    for seen, sources in before:
        if not sources:
            continue
        needle = bytes_at(seen.transaction, position, width)
        fitting = dict(candidates_for(needle, seen, sources, candidates))
        if candidates is None:
            if not any(source.certain for source in sources.values()):
                continue
            candidates = fitting
        for echo in list(candidates):
            source = sources.get(key_of(echo))
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


def key_of(echo: Echo) -> object:
    return echo.operation if echo.request is None else (echo.operation, echo.request)


def bytes_at(transaction: Transaction, position: int, width: int) -> bytes:
    if position < 100:
        return (transaction.params or ())[position].to_bytes(4, "little")
    return (transaction.data or b"")[position - 100 : position - 100 + width]


def candidates_for(
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


def certain(source: Source | None) -> bool:
    return source is not None and source.certain


def _holds(echo: Echo, position: int, before: Before) -> bool:
    for seen, sources in before:
        source = sources.get(key_of(echo))
        if source is not None and source.certain and echo.offset is not None:
            have = source.transaction.reply[echo.offset : echo.offset + echo.bytes]
            if have != bytes_at(seen.transaction, position, echo.bytes):
                return False
    return True
