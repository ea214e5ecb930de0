"""Little-endian numbers, strings and arrays of PTP (ISO 15740, section 5.3)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import TypeAlias

Value: TypeAlias = "int | str | tuple[int, ...]"
"""A property's value: a number, a text, or an array of numbers."""

MAX_STRING = 254
"""UTF-16 code units in a string, its closing NUL not counted."""


class FormatError(ValueError):
    """The bytes are not what the format says, or a value does not fit into it."""


class DataType(IntEnum):
    """Types of property values. Arrays have the same number plus 0x4000."""

    INT8 = 0x0001
    UINT8 = 0x0002
    INT16 = 0x0003
    UINT16 = 0x0004
    INT32 = 0x0005
    UINT32 = 0x0006
    INT64 = 0x0007
    UINT64 = 0x0008
    INT128 = 0x0009
    UINT128 = 0x000A
    INT8_ARRAY = 0x4001
    UINT8_ARRAY = 0x4002
    INT16_ARRAY = 0x4003
    UINT16_ARRAY = 0x4004
    INT32_ARRAY = 0x4005
    UINT32_ARRAY = 0x4006
    INT64_ARRAY = 0x4007
    UINT64_ARRAY = 0x4008
    INT128_ARRAY = 0x4009
    UINT128_ARRAY = 0x400A
    STRING = 0xFFFF

    @property
    def is_array(self) -> bool:
        return self != DataType.STRING and bool(self & 0x4000)

    @property
    def item(self) -> DataType:
        """The type of one item of an array; the type itself for others."""
        return DataType(self & ~0x4000) if self.is_array else self

    @property
    def size(self) -> int:
        """Bytes of one item."""
        return 1 << ((self.item - 1) // 2)

    @property
    def signed(self) -> bool:
        return bool(self.item & 1)

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest number of the type."""
        bits = 8 * self.size
        return (-(1 << bits - 1), (1 << bits - 1) - 1) if self.signed else (0, (1 << bits) - 1)


def data_type(code: int) -> DataType:
    """The type with that number, or :class:`FormatError`."""
    try:
        return DataType(code)
    except ValueError:
        raise FormatError(f"there is no data type 0x{code:04X}") from None


class Reader:
    """Takes values off the front of a byte string; :class:`FormatError` where it is too short."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data).cast("B")
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that have not been read."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count < 0 or count > self.left:
            raise FormatError(f"{count} bytes are needed at offset {self._at}, {self.left} are left")
        self._at += count
        return bytes(self._data[self._at - count : self._at])

    def rest(self) -> bytes:
        return self.take(self.left)

    def number(self, kind: DataType) -> int:
        return int.from_bytes(self.take(kind.size), "little", signed=kind.signed)

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "little")

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        return int.from_bytes(self.take(8), "little")

    def array(self, kind: DataType, count: int | None = None) -> tuple[int, ...]:
        """``count`` numbers; without it, as many as a leading u32 says. Checks before it allocates."""
        if count is None:
            count = self.u32()
        if count * kind.size > self.left:
            raise FormatError(
                f"an array of {count} x {kind.size} bytes does not fit into the {self.left} that are left"
            )
        data = self.take(count * kind.size)
        if kind.size <= 8:
            return struct.unpack(f"<{count}{_LETTERS[kind.item]}", data)
        size = kind.size
        return tuple(
            int.from_bytes(data[i : i + size], "little", signed=kind.signed) for i in range(0, len(data), size)
        )

    def string(self) -> str:
        """A counted UTF-16 string. What follows its first NUL is ignored, broken characters become U+FFFD."""
        text = self.take(2 * self.u8()).decode("utf-16-le", errors="replace")
        return text.split("\0", 1)[0]

    def value(self, kind: DataType) -> Value:
        if kind == DataType.STRING:
            return self.string()
        return self.array(kind.item) if kind.is_array else self.number(kind)

    def end(self) -> None:
        """:class:`FormatError` unless everything has been read."""
        if self.left:
            raise FormatError(f"{self.left} bytes too many")


_LETTERS = dict(zip(list(DataType)[:8], "bBhHiIqQ", strict=True))


class Writer:
    """Puts values behind one another; :class:`FormatError` for one that its type cannot hold."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def raw(self, data: bytes) -> Writer:
        self._parts.append(data)
        return self

    def number(self, kind: DataType, value: int) -> Writer:
        try:
            return self.raw(value.to_bytes(kind.size, "little", signed=kind.signed))
        except OverflowError:
            raise FormatError(f"{value} does not fit into {kind.name}") from None

    def u8(self, value: int) -> Writer:
        return self.number(DataType.UINT8, value)

    def u16(self, value: int) -> Writer:
        return self.number(DataType.UINT16, value)

    def u32(self, value: int) -> Writer:
        return self.number(DataType.UINT32, value)

    def u64(self, value: int) -> Writer:
        return self.number(DataType.UINT64, value)

    def array(self, kind: DataType, items: Sequence[int], counted: bool = True) -> Writer:
        if counted:
            self.u32(len(items))
        for item in items:
            self.number(kind, item)
        return self

    def string(self, text: str) -> Writer:
        if not text:
            return self.u8(0)
        try:
            data = text.encode("utf-16-le")
        except UnicodeEncodeError:
            raise FormatError("a text with a lone surrogate has no UTF-16 form") from None
        if len(data) > 2 * MAX_STRING or "\0" in text:
            raise FormatError(f"a text of at most {MAX_STRING} UTF-16 units without NUL is needed")
        return self.u8(len(data) // 2 + 1).raw(data + b"\0\0")

    def value(self, kind: DataType, value: Value) -> Writer:
        if kind == DataType.STRING and isinstance(value, str):
            return self.string(value)
        if kind.is_array and isinstance(value, tuple):
            return self.array(kind.item, value)
        if not kind.is_array and kind != DataType.STRING and isinstance(value, int):
            return self.number(kind, value)
        raise FormatError(f"{value!r} is no {kind.name}")

    def done(self) -> bytes:
        return b"".join(self._parts)
