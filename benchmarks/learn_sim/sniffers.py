"""What sniffers write of a conversation: packets on the wire, requests of a computer, and text."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Iterator, Sequence

from .evening import Exchange

Packet = tuple[float, bytes]

OUT, IN, SOF, SETUP = 0xE1, 0x69, 0xA5, 0x2D
DATA = (0xC3, 0x4B)
ACK, NAK, NYET, PING = 0xD2, 0x5A, 0x96, 0xB4


def containers(exchange: Exchange) -> Iterator[tuple[bool, bytes]]:
    """(towards the host, bytes) of each container of an operation."""
    say, heard = exchange.say, exchange.heard

    def container(kind: int, code: int, payload: bytes) -> bytes:
        return struct.pack("<IHHI", 12 + len(payload), kind, code, exchange.tid) + payload

    yield False, container(1, say.operation, struct.pack(f"<{len(say.params)}I", *say.params))
    if say.data is not None:
        yield False, container(2, say.operation, say.data)
    if heard.data:
        yield True, container(2, say.operation, heard.data)
    yield True, container(3, heard.code, struct.pack(f"<{len(heard.params)}I", *heard.params))


def crc16(data: bytes) -> int:
    """Of a data packet (USB 2.0, section 8.3.5.2)."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value ^ 0xFFFF


class WireTap:
    """A hardware sniffer on the cable. ``size``: of the largest packet (64 full speed, 512 high speed).

    ``damaged``: share of data packets that arrive damaged at first, and are sent again. ``header_alone``: the grip
    sends the header of a data phase as a packet of its own.
    """

    def __init__(
        self,
        rng: random.Random,
        size: int = 512,
        address: int = 5,
        damaged: float = 0.0,
        header_alone: bool = False,
    ) -> None:
        self.rng, self.size, self.address = rng, size, address
        self.damaged, self.header_alone = damaged, header_alone
        self.toggles = {1: 0, 0x82: 0, 9: 0, 0x8A: 0}
        self.frame = rng.randrange(2048)

    def packets(self, log: Sequence[Exchange], idle: float = 0.02, others: bool = False) -> Iterator[Packet]:
        """Everything on the bus. ``idle``: seconds between start-of-frame packets (thinned out)."""
        now = log[0].time
        for exchange in log:
            while now < exchange.time:
                yield from self._idle(now, others)
                now += idle
            at = exchange.time
            pieces = list(containers(exchange))
            step = (exchange.end - at) / (2 * len(pieces) + 1)
            for to_host, data in pieces:
                yield from self._transfer(at, to_host, data)
                at += 2 * step
        yield from self._idle(now, others)

    def _token(self, pid: int, endpoint: int, address: int | None = None) -> bytes:
        word = (self.address if address is None else address) | (endpoint & 15) << 7 | 0x1F << 11
        return struct.pack("<BH", pid, word)

    def _idle(self, at: float, others: bool) -> Iterator[Packet]:
        self.frame = (self.frame + 1) % 2048
        yield at, struct.pack("<BH", SOF, self.frame)
        yield at + 1e-5, self._token(IN, 0x83)
        yield at + 2e-5, bytes([NAK])
        if others and self.rng.random() < 0.3:
            # a mouse, and a disk that speaks of other things
            yield at + 3e-5, self._token(IN, 1, 9)
            self.toggles[9] ^= 1
            yield at + 4e-5, self._data(self.toggles[9], self.rng.randbytes(8))
            yield at + 5e-5, bytes([ACK])
            yield at + 6e-5, self._token(OUT, 2, 11)
            self.toggles[0x8A] ^= 1
            yield at + 7e-5, self._data(self.toggles[0x8A], b"USBC" + self.rng.randbytes(27))
            yield at + 8e-5, bytes([ACK])

    def _data(self, toggle: int, payload: bytes) -> bytes:
        # most that export packets leave the checksum as it was; where nothing is damaged it says nothing
        crc = crc16(payload) if self.damaged else 0x3412
        return bytes([DATA[toggle]]) + payload + struct.pack("<H", crc)

    def _transfer(self, at: float, to_host: bool, data: bytes) -> Iterator[Packet]:
        endpoint = 0x82 if to_host else 1
        pieces = []
        if self.header_alone and not to_host and data[4] == 2:
            pieces, data = [data[:12]], data[12:]
        pieces += [data[i : i + self.size] for i in range(0, len(data), self.size)]
        if len(data) % self.size == 0:
            pieces.append(b"")
        for piece in pieces:
            toggle = self.toggles[endpoint]
            token = self._token(IN if to_host else OUT, endpoint)
            for _ in range(self.rng.choice((0, 0, 0, 1, 2))):
                # not ready yet
                yield at, token
                if not to_host:
                    yield at + 1e-6, self._data(toggle, piece)
                yield at + 2e-6, bytes([NAK])
                at += 4e-6
            if piece and self.damaged and self.rng.random() < self.damaged:
                bad = bytearray(self._data(toggle, piece))
                bad[self.rng.randrange(1, len(bad))] ^= 0x10
                yield at, token
                yield at + 1e-6, bytes(bad)
                at += 4e-6
            if self.rng.random() < 0.03:
                # nobody answered (or the answer was lost): sent again with the same toggle
                yield at, token
                yield at + 1e-6, self._data(toggle, piece)
                at += 4e-6
            yield at, token
            yield at + 1e-6, self._data(toggle, piece)
            yield at + 2e-6, bytes([ACK if to_host or self.rng.random() < 0.9 or self.size == 64 else NYET])
            self.toggles[endpoint] ^= 1
            at += 5e-6


def lose(packets: Iterable[Packet], share: float, rng: random.Random) -> Iterator[Packet]:
    for packet in packets:
        if rng.random() >= share:
            yield packet


def pcap(packets: Iterable[Packet], link: int, nano: bool = True, order: str = "<") -> bytes:
    unit = 1_000_000_000 if nano else 1_000_000
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)]
    for at, data in packets:
        ticks = round(at * unit)
        out.append(struct.pack(order + "IIII", ticks // unit, ticks % unit, len(data), len(data)) + data)
    return b"".join(out)


def pcapng(packets: Iterable[Packet], link: int, order: str = "<", resolution: int = 9) -> bytes:
    """One section with a second interface for remarks, as some sniffers write it."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))

    def interface(link_type: int) -> bytes:
        options = struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
        return block(1, struct.pack(order + "HHI", link_type, 0, 0) + options)

    out = [block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)), interface(link), interface(252)]
    remark = b"capture started"
    out.append(block(6, struct.pack(order + "IIIII", 1, 0, 0, len(remark), len(remark)) + remark))
    for at, data in packets:
        ticks = round(at * 10**resolution)
        header = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
        out.append(block(6, header + data))
    return b"".join(out)


def usbmon(log: Sequence[Exchange]) -> Iterator[Packet]:
    """Requests as Linux records them (link type 220)."""
    number = 0
    for exchange in log:
        at = exchange.time
        for to_host, data in containers(exchange):
            number += 1
            endpoint = 0x82 if to_host else 1
            for kind in b"SC":
                has = (kind == ord("C")) == to_host
                status = -115 if kind == ord("S") else 0
                header = struct.pack(
                    "<QBBBBHBBqiiII", number, kind, 3, endpoint, 7, 1, 0, 0 if has else ord("<"), int(at),
                    round(at % 1 * 1e6) % 1_000_000, status, len(data), len(data) if has else 0,
                )  # fmt: skip
                yield at, header + bytes(24) + (data if has else b"")
                at += 2e-4


def usbpcap(log: Sequence[Exchange]) -> Iterator[Packet]:
    """Requests as Windows records them (link type 249)."""
    number = 0
    for exchange in log:
        at = exchange.time
        for to_host, data in containers(exchange):
            number += 1
            endpoint = 0x82 if to_host else 1
            for done in (0, 1):
                has = bool(done) == to_host
                body = data if has else b""
                header = struct.pack("<HQIHBHHBBI", 27, number, 0, 9, done, 1, 7, endpoint, 3, len(body))
                yield at, header + body
                at += 2e-4


def total_phase(packets: Iterable[Packet]) -> str:
    """A CSV of single packets under their transactions."""
    names = {OUT: "OUT packet", IN: "IN packet", 0xC3: "DATA0 packet", 0x4B: "DATA1 packet", ACK: "ACK packet"}
    names |= {NAK: "NAK packet", NYET: "NYET packet", SOF: "SOF packet"}
    lines = ["# Total Phase Data Center(tm) v6.73", "# Level,Sp,Index,m:s.ms.us,Dur,Len,Err,Dev,Ep,Record,Data,Summary"]
    for i, (at, data) in enumerate(packets):
        micro = round(at * 1e6)
        stamp = f"{micro // 60_000_000}:{micro // 1_000_000 % 60:02d}.{micro // 1000 % 1000:03d}.{micro % 1000:03d}"
        lines.append(f"3,HS,{i},{stamp},,{len(data)} B,,05,01,{names.get(data[0], 'packet')},{data.hex(' ').upper()},")
    return "\r\n".join(lines) + "\r\n"


def hexadecimal(log: Sequence[Exchange]) -> str:
    """Lines as tshark writes them: time, direction, bytes."""
    lines = []
    for exchange in log:
        for i, (to_host, data) in enumerate(containers(exchange)):
            lines.append(f"{exchange.time + 2e-4 * i:.6f}\t{int(to_host)}\t{data.hex(':')}")
    return "\n".join(lines) + "\n"
