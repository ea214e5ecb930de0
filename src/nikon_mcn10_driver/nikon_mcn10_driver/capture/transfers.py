"""What crossed each endpoint of each device, from packets on the wire or from a computer's USB requests.

On the wire (USB 2.0, chapter 8) a piece of data counts when its handshake says so: what was answered NAK was not
taken, what comes twice with the same toggle is a retry, and a toggle that does not alternate means a lost packet.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..checksums import CHECKSUMS
from .packets import (
    LINK_FULL_SPEED,
    LINK_REMARKS,
    LINK_USB_LINUX,
    LINK_USB_LINUX_MMAPPED,
    LINK_USBPCAP,
    LINKS_USB_2_0,
    Packet,
)

UNKNOWN = -1
"""Device and endpoint of data whose token was lost."""


class Transfer(NamedTuple):
    """Data that one side has taken. ``number``: of the packet, from 1; ``endpoint``: bit 7 set towards the host.

    ``short``: nothing follows that belongs to it (a short packet); ``gap``: something before it on this endpoint is
    missing.
    """

    time: float
    number: int
    device: int
    endpoint: int
    data: bytes
    short: bool
    gap: bool


@dataclass
class Seen:
    """What a reader has noticed beside the transfers."""

    packets: int = 0
    retries: int = 0
    gaps: int = 0
    cut: int = 0
    foreign: int = 0


def transfers(packets: Iterable[Packet], seen: Seen) -> Iterator[Transfer]:
    """Transfers in the order in which they were complete, whatever the packets' link types."""
    wire, linux, windows = Wire(seen), LinuxRequests(seen), WindowsRequests(seen)
    for packet in packets:
        seen.packets += 1
        if packet.link in LINKS_USB_2_0:
            yield from wire.take(packet, seen.packets)
        elif packet.link in (LINK_USB_LINUX, LINK_USB_LINUX_MMAPPED):
            yield from linux.take(packet, seen.packets)
        elif packet.link == LINK_USBPCAP:
            yield from windows.take(packet, seen.packets)
        elif packet.link != LINK_REMARKS:
            seen.foreign += 1
    yield from wire.finish()
    yield from linux.finish()


_OUT, _IN, _SOF, _SETUP = 0xE1, 0x69, 0xA5, 0x2D
_DATA0, _DATA1, _DATA2, _MDATA = 0xC3, 0x4B, 0x87, 0x0F
_ACK, _NAK, _STALL, _NYET = 0xD2, 0x5A, 0x1E, 0x96
_SPLIT, _PING = 0x78, 0xB4
_TOKENS = frozenset((_OUT, _IN, _SETUP, _PING))
_DATA = frozenset((_DATA0, _DATA1, _DATA2, _MDATA))
_FULL_PACKETS = frozenset((64, 512, 1024))
"""Sizes of a bulk packet that may be followed by another of the same transfer."""


_SAMPLE = 64
"""Data packets that show whether a sniffer records their checksums; exported text and generated captures may not."""

_SHORT = 64
"""Bytes of a packet up to which its checksum is always looked at; commands, responses and most of what matters."""

_CRC16 = CHECKSUMS["crc16_modbus"][1]


def _sum_is_right(data: bytes) -> bool:
    """Whether a data packet ends with the CRC of its bytes (USB 2.0, section 8.3.5.2)."""
    return _CRC16(data[1:-2]) ^ 0xFFFF == data[-2] | data[-1] << 8


class _Endpoint:
    """What is known of one endpoint: the newest data with its toggle, and whether something after it was lost."""

    __slots__ = ("last", "lost", "toggle")

    def __init__(self) -> None:
        self.toggle = 0
        self.last = b""
        self.lost = False


class Wire:
    """Packets of link type USB 2.0, one bus; device is the address."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._endpoints: dict[int, _Endpoint] = {}
        self._token = 0
        self._address = self._number = 0
        self._split = 0  # 1: start, 2: complete
        self._data: Packet | None = None
        self._at = 0
        self._waiting: dict[int, tuple[Packet, int]] = {}
        self._sums = {True: 0, False: 0}

    def take(self, packet: Packet, number: int) -> Iterator[Transfer]:
        data = packet.data
        if not data:
            return
        pid = data[0]
        if pid in _DATA:
            if self._data is not None:
                yield from self._done(None)
            if not packet.whole:
                self._seen.cut += 1
            elif len(data) >= 3:
                self._data, self._at = packet, number
                if self._sums[True] + self._sums[False] < _SAMPLE:
                    self._sums[_sum_is_right(data)] += 1
        elif pid in (_ACK, _NYET):
            yield from self._handshake(True)
        elif pid in (_NAK, _STALL):
            yield from self._handshake(False)
            if pid == _STALL and self._token:
                self._endpoint().toggle = 0
            self._forget()
        elif pid in _TOKENS and len(data) >= 3:
            if self._token or self._data is not None:
                yield from self._done(None)
                self._forget()
            self._token = pid
            self._address = data[1] & 0x7F
            self._number = (data[2] & 7) << 1 | data[1] >> 7
        elif pid == _SPLIT and len(data) >= 4:
            yield from self._done(None)
            self._forget()
            self._split = 1 + (data[1] >> 7)

    def finish(self) -> Iterator[Transfer]:
        yield from self._done(None)

    def _forget(self) -> None:
        self._token = self._split = 0
        self._data = None

    def _handshake(self, taken: bool) -> Iterator[Transfer]:
        if self._split == 1 and self._token != _IN:
            # the hub has it; the device's own answer comes with the complete-split
            if taken and self._data is not None:
                self._waiting[self._address << 8 | self._number] = (self._data, self._at)
        elif self._split == 2 and self._token == _OUT:
            waiting = self._waiting.pop(self._address << 8 | self._number, None)
            if taken and waiting is not None:
                self._data, self._at = waiting
                yield from self._done(True)
        elif taken:
            yield from self._done(True)
        self._forget()

    def _endpoint(self) -> _Endpoint:
        key = self._address << 8 | self._number | (0x80 if self._token == _IN else 0)
        found = self._endpoints.get(key)
        if found is None:
            found = self._endpoints[key] = _Endpoint()
        return found

    def _done(self, taken: bool | None) -> Iterator[Transfer]:
        """A transaction is over; ``taken`` None: its handshake was not seen."""
        packet, self._data = self._data, None
        if packet is None:
            if taken and self._token in (_OUT, _IN):
                # token and handshake without what was between them
                self._endpoint().lost = True
                self._seen.gaps += 1
            return
        payload = packet.data[1:-2]
        checked = self._sums[True] > self._sums[False] and (taken is None or len(payload) <= _SHORT)
        if checked and not _sum_is_right(packet.data):
            # where nobody took it, it is sent again; else what was taken was not recorded
            self._seen.retries += taken is None
            if taken and self._token in (_OUT, _IN):
                self._endpoint().lost = True
                self._seen.gaps += 1
            return
        if not self._token:
            if payload:
                yield Transfer(packet.time, self._at, UNKNOWN, UNKNOWN, payload, True, False)
            return
        if self._token == _PING or (self._split == 1 and self._token != _IN):
            return
        number = self._number | (0x80 if self._token == _IN else 0)
        endpoint = self._endpoint()
        pid = packet.data[0]
        again = pid == endpoint.toggle and pid in (_DATA0, _DATA1) and self._token != _SETUP
        if again and payload == endpoint.last:
            # the other side did not hear the handshake, or there was none
            self._seen.retries += 1
            return
        gap = endpoint.lost or again
        self._seen.gaps += again and not endpoint.lost
        full = 64 if packet.link == LINK_FULL_SPEED else 0
        short = len(payload) not in _FULL_PACKETS or (full > 0 and len(payload) < full)
        endpoint.toggle, endpoint.last, endpoint.lost = pid, payload, False
        yield Transfer(packet.time, self._at, self._address, number, payload, short, gap)


_LINUX = struct.Struct("<QBBBBHBBqiiII")
_LINUX_BIG = struct.Struct(">QBBBBHBBqiiII")


class LinuxRequests:
    """What usbmon records: requests (URBs); data towards the device when submitted, from it when complete."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._submitted: dict[int, Transfer] = {}

    def take(self, packet: Packet, number: int) -> Iterator[Transfer]:
        header = 64 if packet.link == LINK_USB_LINUX_MMAPPED else 48
        if len(packet.data) < header:
            self._seen.cut += 1
            return
        fields = _LINUX.unpack_from(packet.data)
        if fields[9] > 999_999 or fields[9] < 0:
            # written by a machine of the other byte order
            fields = _LINUX_BIG.unpack_from(packet.data)
        identity, kind, way, endpoint, address, bus, _, _, _, _, status, length, captured = fields
        if kind not in b"SCE" or way not in (1, 3):
            return
        device = bus << 8 | address
        data = packet.data[header : header + captured]
        cut = captured < length or not packet.whole
        transfer = Transfer(packet.time, number, device, endpoint & 0x8F, data, length % 64 != 0 or length == 0, cut)
        if endpoint & 0x80:
            if kind == ord("C") and (status == 0 or data):
                self._seen.cut += cut
                yield transfer
        elif kind == ord("S"):
            self._seen.cut += cut
            stale = self._submitted.pop(identity, None)
            if stale is not None:
                yield stale
            self._submitted[identity] = transfer
            if len(self._submitted) > 64:
                yield self._submitted.pop(next(iter(self._submitted)))
        else:
            known = self._submitted.pop(identity, None)
            if known is not None and status == 0:
                yield known
            elif known is not None:
                self._seen.retries += 1

    def finish(self) -> Iterator[Transfer]:
        yield from self._submitted.values()
        self._submitted.clear()


_WINDOWS = struct.Struct("<HQIHBHHBBI")


class WindowsRequests:
    """What USBPcap records; the same idea as usbmon."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def take(self, packet: Packet, number: int) -> Iterator[Transfer]:
        if len(packet.data) < _WINDOWS.size:
            self._seen.cut += 1
            return
        header, _, status, _, info, bus, address, endpoint, way, length = _WINDOWS.unpack_from(packet.data)
        if way not in (1, 3) or header < _WINDOWS.size:
            return
        complete = bool(info & 1)
        if complete != bool(endpoint & 0x80) or (complete and status != 0 and not length):
            return
        data = packet.data[header : header + length]
        cut = len(data) < length or not packet.whole
        self._seen.cut += cut
        if data or not complete:
            yield Transfer(
                packet.time, number, bus << 8 | address, endpoint & 0x8F, data, length % 64 != 0 or not length, cut
            )
