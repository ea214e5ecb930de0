"""PTP/IP packets (CIPA DC-005): what travels on the two TCP connections."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from .codec import FormatError, Reader

PORT = 15740
VERSION = 0x00010000
HEADER_SIZE = 8
MAX_PACKET = 16 << 20
"""Bytes; a longer packet is refused. Longer data comes in several packets."""

MAX_DATA = 64 << 20
"""Bytes of one data phase."""

UNKNOWN_TOTAL = (1 << 64) - 1
"""The sender of data does not know yet how many bytes will come."""

MAX_NAME = 39
"""Characters of a friendly name, its NUL not counted."""


class PacketType(IntEnum):
    INIT_COMMAND_REQUEST = 1
    INIT_COMMAND_ACK = 2
    INIT_EVENT_REQUEST = 3
    INIT_EVENT_ACK = 4
    INIT_FAIL = 5
    OPERATION_REQUEST = 6
    OPERATION_RESPONSE = 7
    EVENT = 8
    START_DATA = 9
    DATA = 10
    CANCEL = 11
    END_DATA = 12
    PROBE_REQUEST = 13
    PROBE_RESPONSE = 14


class DataPhase(IntEnum):
    NONE_OR_IN = 1
    OUT = 2


@dataclass(frozen=True)
class Packet:
    """One packet: its type and the bytes behind the 8-byte header."""

    type: PacketType
    payload: bytes = b""

    def encode(self) -> bytes:
        if len(self.payload) > MAX_PACKET - HEADER_SIZE:
            raise FormatError(f"a packet of {len(self.payload)} bytes")
        return struct.pack("<II", HEADER_SIZE + len(self.payload), self.type) + self.payload


class PacketAssembler:
    """Packets out of a byte stream: :meth:`feed` bytes, :meth:`pop` packets until None.

    After a :class:`FormatError` the stream is lost: there is no way to find the next packet.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def pop(self) -> Packet | None:
        buffer = self._buffer
        if len(buffer) < HEADER_SIZE:
            return None
        length, kind = struct.unpack_from("<II", buffer)
        if not HEADER_SIZE <= length <= MAX_PACKET:
            raise FormatError(f"a packet of {length} bytes")
        if kind not in PacketType._value2member_map_:
            raise FormatError(f"there is no packet type {kind}")
        if len(buffer) < length:
            return None
        payload = bytes(buffer[HEADER_SIZE:length])
        del buffer[:length]
        return Packet(PacketType(kind), payload)


@dataclass(frozen=True)
class Hello:
    """Who is there: 16-byte GUID and friendly name, in the init packets of both sides."""

    guid: bytes
    name: str
    version: int = VERSION

    def encode(self) -> bytes:
        name = self.name.encode("utf-16-le", errors="replace")[: 2 * MAX_NAME]
        if len(self.guid) != 16:
            raise FormatError("a GUID has 16 bytes")
        return self.guid + name + b"\0\0" + struct.pack("<I", self.version)

    @classmethod
    def read(cls, reader: Reader) -> Hello:
        guid = reader.take(16)
        units = bytearray()
        while (unit := reader.take(2)) != b"\0\0":
            units += unit
        # some programs send no version
        version = reader.u32() if reader.left >= 4 else VERSION
        return cls(guid, units.decode("utf-16-le", errors="replace"), version)


def init_command_request(hello: Hello) -> Packet:
    return Packet(PacketType.INIT_COMMAND_REQUEST, hello.encode())


def init_command_ack(connection: int, hello: Hello) -> Packet:
    return Packet(PacketType.INIT_COMMAND_ACK, struct.pack("<I", connection) + hello.encode())


def read_init_command_ack(packet: Packet) -> tuple[int, Hello]:
    """The connection number for the event connection, and the camera's name."""
    reader = Reader(packet.payload)
    return reader.u32(), Hello.read(reader)


@dataclass(frozen=True)
class OperationRequest:
    code: int
    transaction_id: int
    params: tuple[int, ...] = ()
    data_phase: int = DataPhase.NONE_OR_IN

    def encode(self) -> bytes:
        try:
            head = struct.pack("<IHI", self.data_phase, self.code, self.transaction_id)
            return Packet(
                PacketType.OPERATION_REQUEST, head + struct.pack(f"<{len(self.params)}I", *self.params)
            ).encode()
        except struct.error as error:
            raise FormatError(f"a field of the operation is out of range: {error}") from error

    @classmethod
    def read(cls, packet: Packet) -> OperationRequest:
        reader = Reader(packet.payload)
        phase, code, transaction_id = reader.u32(), reader.u16(), reader.u32()
        return cls(code, transaction_id, _params(reader), phase)


@dataclass(frozen=True)
class CodeAndParams:
    """An operation's response, or an event: both look alike."""

    code: int
    transaction_id: int
    params: tuple[int, ...] = ()

    def encode(self, kind: PacketType) -> bytes:
        try:
            head = struct.pack("<HI", self.code, self.transaction_id)
            return Packet(kind, head + struct.pack(f"<{len(self.params)}I", *self.params)).encode()
        except struct.error as error:
            raise FormatError(f"a field of the packet is out of range: {error}") from error

    @classmethod
    def read(cls, packet: Packet) -> CodeAndParams:
        reader = Reader(packet.payload)
        return cls(reader.u16(), reader.u32(), _params(reader))


def _params(reader: Reader) -> tuple[int, ...]:
    if reader.left % 4 or reader.left > 20:
        raise FormatError(f"parameters of {reader.left} bytes")
    return tuple(reader.u32() for _ in range(reader.left // 4))


def start_data(transaction_id: int, total: int) -> Packet:
    return Packet(PacketType.START_DATA, struct.pack("<IQ", transaction_id, total))


def read_start_data(packet: Packet) -> tuple[int, int]:
    """Transaction id and number of bytes to come, :data:`MAX_DATA` where the sender does not know.

    :class:`FormatError` above that.
    """
    reader = Reader(packet.payload)
    transaction_id = reader.u32()
    total = reader.u64() if reader.left >= 8 else reader.u32()
    if total == UNKNOWN_TOTAL:
        total = MAX_DATA
    if total > MAX_DATA:
        raise FormatError(f"a data phase of {total} bytes")
    return transaction_id, total


def data(transaction_id: int, part: bytes, last: bool) -> Packet:
    return Packet(PacketType.END_DATA if last else PacketType.DATA, struct.pack("<I", transaction_id) + part)


def read_data(packet: Packet) -> tuple[int, bytes]:
    """Transaction id and bytes of a Data, EndData or Cancel packet."""
    reader = Reader(packet.payload)
    return reader.u32(), reader.rest()
