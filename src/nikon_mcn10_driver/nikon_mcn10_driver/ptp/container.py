"""USB containers: a 12-byte header and what belongs to it (USB Still Image Capture Device Definition, 7.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from .codec import FormatError

HEADER_SIZE = 12
MAX_PARAMETERS = 5
UNKNOWN_LENGTH = 0xFFFFFFFF
"""The sender did not know the length: the container ends with a short packet."""

MAX_CONTAINER = 64 << 20
"""Bytes; a longer container is refused (a raw file of a Z8 has some 55 MB)."""

_HEADER = struct.Struct("<IHHI")


class ContainerType(IntEnum):
    COMMAND = 1
    DATA = 2
    RESPONSE = 3
    EVENT = 4


_LONGEST = {ContainerType.COMMAND: 32, ContainerType.RESPONSE: 32, ContainerType.EVENT: 24}


@dataclass(frozen=True)
class Container:
    """One container; ``payload`` holds the u32 parameters, or the bytes of a data phase."""

    type: ContainerType
    code: int
    transaction_id: int
    payload: bytes = b""

    @classmethod
    def of(cls, type: ContainerType, code: int, transaction_id: int, *params: int) -> Container:
        """A command, response or event with parameters."""
        try:
            return cls(type, code, transaction_id, struct.pack(f"<{len(params)}I", *params))
        except struct.error as error:
            raise FormatError(f"a parameter is no u32: {params}") from error

    @property
    def params(self) -> tuple[int, ...]:
        """The parameters of a command, response or event; :class:`FormatError` for the bytes of a data phase."""
        if self.type == ContainerType.DATA:
            raise FormatError("a data container has no parameters")
        return struct.unpack(f"<{len(self.payload) // 4}I", self.payload)

    def encode(self) -> bytes:
        try:
            header = _HEADER.pack(HEADER_SIZE + len(self.payload), self.type, self.code, self.transaction_id)
        except struct.error as error:
            raise FormatError(f"a header field is out of range: {error}") from error
        _check(self.type, HEADER_SIZE + len(self.payload))
        return header + self.payload

    @classmethod
    def decode(cls, data: bytes | bytearray | memoryview) -> Container:
        """One whole container, no more and no less. A length of 0xFFFFFFFF stands for all of ``data``."""
        length, kind, code, transaction_id = read_header(data)
        if length == UNKNOWN_LENGTH:
            length = len(data)
        if length != len(data):
            raise FormatError(f"a container of {length} bytes came with {len(data)}")
        _check(kind, length)
        return cls(kind, code, transaction_id, bytes(data[HEADER_SIZE:]))


def read_header(data: bytes | bytearray | memoryview) -> tuple[int, ContainerType, int, int]:
    """Length, type, code and transaction id of the container that begins ``data``, checked."""
    if len(data) < HEADER_SIZE:
        raise FormatError(f"a container header has {HEADER_SIZE} bytes, {len(data)} came")
    length, kind, code, transaction_id = _HEADER.unpack_from(data)
    if kind not in ContainerType._value2member_map_:
        raise FormatError(f"there is no container type {kind}")
    kind = ContainerType(kind)
    if length == UNKNOWN_LENGTH and kind == ContainerType.DATA:
        return length, kind, code, transaction_id
    _check(kind, length)
    return length, kind, code, transaction_id


def _check(kind: ContainerType, length: int) -> None:
    if length < HEADER_SIZE or length > _LONGEST.get(kind, MAX_CONTAINER):
        raise FormatError(f"a {kind.name.lower()} container of {length} bytes")
    if kind != ContainerType.DATA and length % 4:
        raise FormatError(f"parameters of {length - HEADER_SIZE} bytes are no u32 values")


class ContainerAssembler:
    """Containers out of bulk-IN transfers, however the device has cut or joined them.

    :meth:`feed` what a read returned, then take containers with :meth:`pop` until it returns None; what
    belongs to the next container is kept. After a :class:`FormatError` call :meth:`clear`.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._short = False

    @property
    def pending(self) -> int:
        """Bytes that wait for the rest of their container."""
        return len(self._buffer)

    def clear(self) -> None:
        self._buffer.clear()
        self._short = False

    def feed(self, data: bytes | bytearray | memoryview, short: bool) -> None:
        """Adds the bytes of one read. ``short``: it ended with a short or a zero-length packet."""
        self._buffer += data
        self._short = short
        if len(self._buffer) > MAX_CONTAINER + (1 << 20):
            raise FormatError(f"more than {MAX_CONTAINER} bytes without the end of a container")

    def pop(self) -> Container | None:
        """The next whole container, or None while bytes are missing."""
        buffer = self._buffer
        if len(buffer) < HEADER_SIZE:
            return None
        length = read_header(buffer)[0]
        if length == UNKNOWN_LENGTH:
            if not self._short:
                return None
            length = len(buffer)
            container = Container.decode(buffer)
        elif len(buffer) < length:
            return None
        else:
            with memoryview(buffer) as view:
                container = Container.decode(view[:length])
        del buffer[:length]
        return container
