"""Values in a profile's messages that are not constant, and how the driver computes them."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .checksums import CHECKSUMS
from .transport import Reply


class FieldError(ValueError):
    """A value cannot be computed, because the camera has not sent what it rests on. The text is for a person."""


@dataclass(frozen=True)
class Counter:
    """The next value of the profile's counter ``name``; with ``advance`` False its newest value again."""

    name: str
    advance: bool = True
    bytes: int = 4
    big: bool = False


@dataclass(frozen=True)
class Echo:
    """What the camera sent in its newest answer to ``operation`` (with the parameters ``request``, where given).

    ``offset``: of ``bytes`` bytes in the data, read as a little-endian number; or ``parameter``: index among the
    response's parameters. The number is changed by ``xor`` and then ``add``.
    """

    operation: int
    offset: int | None = None
    parameter: int | None = None
    request: tuple[int, ...] | None = None
    add: int = 0
    xor: int = 0
    bytes: int = 4
    big: bool = False


@dataclass(frozen=True)
class Clock:
    """Time since the session was opened, in ``unit`` (s, ms, us), plus ``start``; ``unix``: since 1970 instead."""

    unit: str
    start: int = 0
    unix: bool = False
    bytes: int = 4
    big: bool = False


@dataclass(frozen=True)
class TransactionId:
    """The operation's own transaction id plus ``start``."""

    start: int = 0
    bytes: int = 4
    big: bool = False


@dataclass(frozen=True)
class Checksum:
    """A checksum of :data:`.checksums.CHECKSUMS` over the bytes from ``first`` to before ``end`` of the same
    message."""

    kind: str
    first: int
    end: int
    bytes: int = 4
    big: bool = False


Field: TypeAlias = Counter | Echo | Clock | TransactionId | Checksum

UNITS: Mapping[str, float] = {"s": 1.0, "ms": 1e3, "us": 1e6}
"""Ticks in a second."""


@dataclass(frozen=True)
class CounterRule:
    """Counts ``start``, ``start + step`` …, among the ``modulo`` numbers from ``lowest`` on."""

    start: int = 0
    step: int = 1
    modulo: int = 1 << 32
    lowest: int = 0

    def after(self, value: int) -> int:
        """The value that follows ``value``."""
        return self.lowest + (value - self.lowest + self.step) % self.modulo


class Values:
    """Computes the fields of one session. ``replies``: the newest reply of the camera by operation, and by
    operation with its parameters."""

    def __init__(
        self,
        rules: Mapping[str, CounterRule],
        replies: Mapping[object, Reply],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._replies = replies
        self._now = now
        self._opened = now()
        self._next = {name: rule.start for name, rule in rules.items()}
        self._newest = dict(self._next)

    def params(self, template: Sequence[int | Field], transaction: int) -> tuple[int, ...]:
        """The u32 parameters of an operation."""
        if all(isinstance(entry, int) for entry in template):
            return tuple(template)  # type: ignore[arg-type]
        parts = [struct.pack("<I", entry) if isinstance(entry, int) else entry for entry in template]
        raw = self.data(parts, transaction, width=4)
        return struct.unpack(f"<{len(template)}I", raw)

    def data(self, template: bytes | Sequence[bytes | Field], transaction: int, width: int | None = None) -> bytes:
        """The bytes of a data phase. ``width``: bytes that every field takes, whatever its own number of bytes."""
        if isinstance(template, bytes):
            return template
        out = bytearray()
        sums: list[tuple[int, Checksum]] = []
        for part in template:
            if isinstance(part, bytes):
                out += part
                continue
            size = width or part.bytes
            if isinstance(part, Checksum):
                sums.append((len(out), part))
                out += bytes(size)
            else:
                out += _pack(self._value(part, transaction), size, part.big)
        for at, part in sums:
            size = width or part.bytes
            value = CHECKSUMS[part.kind][1](bytes(out[part.first : part.end]))
            out[at : at + size] = _pack(value, size, part.big)
        return bytes(out)

    def _value(self, part: Field, transaction: int) -> int:
        if isinstance(part, Counter):
            if part.advance:
                self._newest[part.name] = self._next[part.name]
                self._next[part.name] = self._rules[part.name].after(self._next[part.name])
            return self._newest[part.name]
        if isinstance(part, Clock):
            elapsed = time.time() if part.unix else self._now() - self._opened
            return max(0, int(elapsed * UNITS[part.unit]) + part.start)
        if isinstance(part, TransactionId):
            return transaction + part.start
        assert isinstance(part, Echo)
        return (self._echo(part) ^ part.xor) + part.add

    def _echo(self, part: Echo) -> int:
        key: object = part.operation if part.request is None else (part.operation, part.request)
        reply = self._replies.get(key)
        if reply is None:
            raise FieldError(f"the camera has not answered 0x{part.operation:04X} yet, whose answer is needed here")
        if part.parameter is not None:
            if part.parameter >= len(reply.params):
                raise FieldError(f"the answer to 0x{part.operation:04X} has no parameter {part.parameter}")
            return reply.params[part.parameter]
        offset = part.offset or 0
        piece = reply.data[offset : offset + part.bytes]
        if len(piece) < part.bytes:
            raise FieldError(f"the answer to 0x{part.operation:04X} has {len(reply.data)} bytes, too few for this echo")
        return int.from_bytes(piece, "little")


def _pack(value: int, size: int, big: bool) -> bytes:
    return (value % (1 << 8 * size)).to_bytes(size, "big" if big else "little")
