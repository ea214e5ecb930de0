"""Packets out of pcap and pcapng files, without the ones in which nothing happens (:mod:`.scan`)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from .scan import DAMAGED, FULL, MAX_BLOCK, SPECIAL, scanners

LINK_USB_LINUX, LINK_USB_LINUX_MMAPPED, LINK_USBPCAP = 189, 220, 249
LINKS_USB_2_0 = frozenset((288, 293, 294, 295))
"""Packets on the wire, beginning with their PID: any, low, full, high speed (tcpdump's list of link types)."""

LINK_FULL_SPEED = 294
LINK_REMARKS = 252
"""What a sniffer says by itself (Wireshark's "upper PDU")."""

_CHUNK = 4 << 20
_BATCH = 1 << 16
_MAX_INTERFACES = 256
_SECTION, _INTERFACE = 0x0A0D0D0A, 1
_SECTION_MAGIC = b"\x0a\x0d\x0d\x0a"
_FILE_MAGICS = {
    struct.pack(order + "I", number): (order, nanoseconds)
    for order in "<>"
    for number, nanoseconds in ((0xA1B2C3D4, 1000), (0xA1B23C4D, 1))
}


class CaptureError(ValueError):
    """A file is no capture that can be used; the text says why."""


class Packet(NamedTuple):
    """One captured packet. ``time``: seconds; ``link``: its link type; ``whole``: nothing of it was cut off."""

    time: float
    link: int
    data: bytes
    whole: bool


def is_packet_file(start: bytes) -> bool:
    """Whether a file that begins with these four bytes is pcap or pcapng."""
    return start[:4] == _SECTION_MAGIC or start[:4] in _FILE_MAGICS


class PacketFile:
    """The packets of a pcap or pcapng stream in their order; iterate once. ``start``: bytes already read from it.

    :class:`CaptureError` where it is neither. ``problem`` says afterwards why reading ended early, if it did.
    """

    def __init__(self, stream: BinaryIO, start: bytes = b"") -> None:
        self._stream = stream
        self._start = start
        self._links = np.zeros(_MAX_INTERFACES, np.int64)
        self._units: list[tuple[float, float]] = []
        self._little = True
        self.problem = ""

    def __iter__(self) -> Iterator[Packet]:
        head = self._start
        while len(head) < 24 and (more := self._stream.read(24 - len(head))):
            head += more
        if head[:4] == _SECTION_MAGIC:
            return self._walk(head, pcapng=True)
        if head[:4] not in _FILE_MAGICS:
            raise CaptureError("this is neither a pcap nor a pcapng file")
        if len(head) < 24:
            raise CaptureError("the file ends within its header")
        order, nanoseconds = _FILE_MAGICS[head[:4]]
        self._little = order == "<"
        self._links[:2] = struct.unpack_from(order + "I", head, 20)[0] & 0xFFFF, nanoseconds
        self._units = [(1e-9, 0.0)]
        return self._walk(head[24:], pcapng=False)

    def _walk(self, buffer: bytes, pcapng: bool) -> Iterator[Packet]:
        scan = scanners()[0 if pcapng else 1]
        where, stamp = np.empty(_BATCH, np.int64), np.empty(_BATCH, np.int64)
        size, source = np.empty(_BATCH, np.int64), np.empty(_BATCH, np.int64)
        position = 0 if pcapng else 24
        ended = False
        while True:
            view = np.frombuffer(buffer, np.uint8)
            reached = 0
            while True:
                count, reached, reason = scan(view, reached, self._little, self._links, where, size, stamp, source)
                for at, length, ticks, number in zip(
                    where[:count].tolist(), size[:count].tolist(), stamp[:count].tolist(), source[:count].tolist(),
                    strict=True,
                ):  # fmt: skip
                    unit, offset = self._units[number]
                    data = buffer[at : at + abs(length)]
                    yield Packet(ticks * unit + offset, int(self._links[number]), data, length >= 0)
                taken = self._describe(buffer, reached) if reason == SPECIAL else 0
                reached += max(0, taken)
                if reason == DAMAGED or taken < 0:
                    self.problem = f"damaged at byte {position + reached:,}; read up to there"
                    return
                if reason != FULL and not taken:
                    break
            position += reached
            if ended:
                if reached < len(buffer):
                    self.problem = "the file ends in the middle of a packet"
                return
            # a pipe gives what is there, so that a live recording is not kept waiting
            more = getattr(self._stream, "read1", self._stream.read)(_CHUNK)
            ended = not more
            buffer = buffer[reached:] + more

    def _describe(self, buffer: bytes, at: int) -> int:
        """Reads a block that describes a section or an interface; its length, 0 when it is not all there, -1
        damaged."""
        order = "<" if self._little else ">"
        kind = struct.unpack_from(order + "I", buffer, at)[0]
        if kind == _SECTION:
            order = "<" if buffer[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            if struct.unpack_from(order + "I", buffer, at + 8)[0] != 0x1A2B3C4D:
                return -1
        length = int(struct.unpack_from(order + "I", buffer, at + 4)[0])
        if length < 20 or length % 4 or length > MAX_BLOCK:
            return -1
        if at + length > len(buffer):
            return 0
        if kind == _SECTION:
            self._little = order == "<"
            self._links[:] = 0
            self._units = []
        elif len(self._units) == _MAX_INTERFACES:
            return -1
        else:
            self._links[len(self._units)] = struct.unpack_from(order + "H", buffer, at + 8)[0]
            self._units.append(_time_unit(buffer[at + 16 : at + length - 4], order))
        return length


def _time_unit(options: bytes, order: str) -> tuple[float, float]:
    """Seconds a tick and seconds to add, from an interface's options if_tsresol (9) and if_tsoffset (14)."""
    unit, offset, at = 1e-6, 0.0, 0
    while at + 4 <= len(options):
        code, length = struct.unpack_from(order + "HH", options, at)
        value = options[at + 4 : at + 4 + length]
        if code == 9 and len(value) == 1:
            unit = 2.0 ** -(value[0] & 0x7F) if value[0] & 0x80 else 10.0 ** -value[0]
        elif code == 14 and len(value) == 8:
            offset = float(struct.unpack(order + "q", value)[0])
        elif code == 0:
            break
        at += 4 + length + -length % 4
    return unit, offset
