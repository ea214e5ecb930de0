"""Values that are a checksum of the rest of their message."""

from __future__ import annotations

import struct

from ..checksums import CHECKSUMS
from ..fields import Checksum
from .observed import ObservedStep

_ENOUGH = 24
_FARTHEST = 256
"""Bytes at the start of a message among which a checksum may begin."""


def find_checksum(step: ObservedStep, position: int) -> tuple[int, int, Checksum] | None:
    """First position, number of positions and field of a checksum at ``position``; None where there is none.

    At least three different messages must agree, and 24 bits of checksums.
    """
    in_params = position < 100
    messages = []
    for seen in step.seen:
        transaction = seen.transaction
        raw = (
            struct.pack(f"<{step.shape[1]}I", *(transaction.params or ()))
            if in_params
            else bytes(transaction.data or b"")
        )
        if raw not in messages:
            messages.append(raw)
        if len(messages) == _ENOUGH:
            break
    if len(messages) < 3:
        return None
    at = 4 * position if in_params else position - 100
    unit, base = (4, 0) if in_params else (1, 100)
    taken = {
        unit * (p - base) + i
        for p, part in step.fields.items()
        if isinstance(part, Checksum) and (p < 100) == in_params
        for i in range(part.bytes)
    }
    for width in (4,) if in_params else (4, 2, 1):
        if not in_params and not step.free(position, width):
            continue
        values = {raw[at : at + width] for raw in messages}
        if len(values) < 3 or 8 * min(width, 2) * len(values) < 24:
            continue
        for kind, (size, _) in CHECKSUMS.items():
            if size != width and not (in_params and size < 4):
                continue
            found = _range(messages, at, width, kind, taken)
            if found is not None:
                first, end, big = found
                return position, 1 if in_params else width, Checksum(kind, first, end, width, big)
    return None


def _range(messages: list[bytes], at: int, width: int, kind: str, taken: set[int]) -> tuple[int, int, bool] | None:
    """Which bytes a checksum of this kind at ``at`` covers."""
    function = CHECKSUMS[kind][1]
    size = len(messages[0])
    ranges = [(first, at) for first in range(min(at, _FARTHEST))]
    ranges += [(at + width, size), (0, size)] if at + width < size else []
    for first, end in ranges:
        if end - first < 2 or not taken.isdisjoint(range(first, end)):
            continue
        for big in (False, True) if width > 1 else (False,):
            if all(_fits(raw, at, width, first, end, function, big) for raw in messages):
                return first, end, big
    return None


def _fits(raw: bytes, at: int, width: int, first: int, end: int, function, big: bool) -> bool:  # type: ignore[no-untyped-def]
    cleared = raw[:at] + bytes(width) + raw[at + width :]
    value = function(cleared[first:end]) % (1 << 8 * width)
    return bool(raw[at : at + width] == value.to_bytes(width, "big" if big else "little"))
