"""The loops that walk over the packets of a capture; machine code where Numba is installed.

They leave out start-of-frame packets and polls that were answered NAK: of an idle high-speed bus that is nearly
everything.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

MORE, SPECIAL, FULL, DAMAGED = 0, 1, 2, 3
"""Why a scan stopped: bytes are missing, a block that Python reads, the arrays are full, no packet can be here."""

MAX_BLOCK = 16 << 20
"""Bytes; a longer block or packet is taken for damage."""

_SOF, _IN, _PING, _NAK = 0xA5, 0x69, 0xB4, 0x5A  # packet identifiers, USB 2.0 table 8-1


def _word(buffer: Any, at: Any, little: bool) -> int:
    a, b, c, d = int(buffer[at]), int(buffer[at + 1]), int(buffer[at + 2]), int(buffer[at + 3])
    if little:
        return a | b << 8 | c << 16 | d << 24
    return d | c << 8 | b << 16 | a << 24


def blocks(buffer, start, little, links, where, size, stamp, source):  # type: ignore[no-untyped-def]
    """Walks pcapng blocks from ``start`` and writes the packets worth reading into the four arrays.

    ``links``: the link type of each interface, 0 where there is none. Returns the number of packets, the position
    reached and why it stopped there. ``size`` is negative where the packet was cut off while it was captured.
    """
    at, n, end = start, 0, buffer.size
    polled = False
    while n < where.size:
        if at + 12 > end:
            return n, at, MORE
        kind = _word(buffer, at, little)
        length = _word(buffer, at + 4, little)
        if kind == 0x0A0D0D0A or kind == 1:
            return n, at, SPECIAL
        if length < 12 or length % 4 != 0 or length > MAX_BLOCK:
            return n, at, DAMAGED
        if at + length > end:
            return n, at, MORE
        block, at = at, at + length
        if kind != 6:
            continue
        captured = _word(buffer, block + 20, little) if length >= 32 else 0
        if length < 32 or captured > length - 32:
            return n, block, DAMAGED
        interface = _word(buffer, block + 8, little)
        link = links[interface] if interface < links.size else 0
        if link == 0:
            continue
        if link == 288 or (link >= 293 and link <= 295):
            pid = int(buffer[block + 28]) if captured > 0 else _SOF
            if pid == _SOF:
                continue
            if pid == _NAK and polled:
                n -= 1
                polled = False
                continue
            polled = pid in (_IN, _PING)
        else:
            polled = False
        where[n] = block + 28
        size[n] = captured if captured >= _word(buffer, block + 24, little) else -captured
        stamp[n] = _word(buffer, block + 12, little) << 32 | _word(buffer, block + 16, little)
        source[n] = interface
        n += 1
    return n, at, FULL


def records(buffer, start, little, links, where, size, stamp, source):  # type: ignore[no-untyped-def]
    """The same for the records of a pcap file. ``links``: its link type, and nanoseconds in a fraction of a second."""
    at, n, end = start, 0, buffer.size
    polled = False
    on_wire = links[0] == 288 or (links[0] >= 293 and links[0] <= 295)
    while n < where.size:
        if at + 16 > end:
            return n, at, MORE
        captured = _word(buffer, at + 8, little)
        original = _word(buffer, at + 12, little)
        if captured > MAX_BLOCK:
            return n, at, DAMAGED
        if at + 16 + captured > end:
            return n, at, MORE
        record, at = at, at + 16 + captured
        if on_wire:
            pid = int(buffer[record + 16]) if captured > 0 else _SOF
            if pid == _SOF:
                continue
            if pid == _NAK and polled:
                n -= 1
                polled = False
                continue
            polled = pid in (_IN, _PING)
        where[n] = record + 16
        size[n] = captured if captured >= original else -captured
        stamp[n] = _word(buffer, record, little) * 1_000_000_000 + _word(buffer, record + 4, little) * links[1]
        source[n] = 0
        n += 1
    return n, at, FULL


@cache
def scanners() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """:func:`blocks` and :func:`records`, compiled where that is possible."""
    global _word
    try:
        from numba import njit
    except ImportError:
        return blocks, records
    _word = njit(inline="always")(_word)
    try:
        return njit(cache=True, nogil=True)(blocks), njit(cache=True, nogil=True)(records)
    except RuntimeError:  # nowhere to keep the machine code
        return njit(nogil=True)(blocks), njit(nogil=True)(records)
