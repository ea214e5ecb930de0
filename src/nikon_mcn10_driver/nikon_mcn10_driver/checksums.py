"""Checksums that a message may carry; CRCs by the parameters of the "Catalogue of parametrised CRC algorithms"."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache


def crc(data: bytes, width: int, polynomial: int, start: int, reflected: bool, out: int) -> int:
    """A cyclic redundancy check of 8 bits or more; ``polynomial`` in its usual notation, not reflected."""
    table = _table(width, polynomial, reflected)
    value, mask = start, (1 << width) - 1
    if reflected:
        value = int(f"{value:0{width}b}"[::-1], 2)
        for byte in data:
            value = table[(value ^ byte) & 0xFF] ^ value >> 8
    else:
        for byte in data:
            value = (table[(value >> width - 8 ^ byte) & 0xFF] ^ value << 8) & mask
    return value ^ out


@cache
def _table(width: int, polynomial: int, reflected: bool) -> tuple[int, ...]:
    if reflected:
        polynomial = int(f"{polynomial:0{width}b}"[::-1], 2)
    top, mask = 1 << width - 1, (1 << width) - 1
    rows = []
    for byte in range(256):
        value = byte if reflected else byte << width - 8
        for _ in range(8):
            if reflected:
                value = value >> 1 ^ (polynomial if value & 1 else 0)
            else:
                value = (value << 1 ^ (polynomial if value & top else 0)) & mask
        rows.append(value)
    return tuple(rows)


def _xor(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value


def _sum_of_words(data: bytes) -> int:
    padded = data + bytes(-len(data) % 4)
    return sum(int.from_bytes(padded[i : i + 4], "little") for i in range(0, len(padded), 4))


def _xor_of_words(data: bytes) -> int:
    padded = data + bytes(-len(data) % 4)
    value = 0
    for i in range(0, len(padded), 4):
        value ^= int.from_bytes(padded[i : i + 4], "little")
    return value


CHECKSUMS: dict[str, tuple[int, Callable[[bytes], int]]] = {
    "sum8": (1, lambda data: sum(data) & 0xFF),
    "sum8_negative": (1, lambda data: -sum(data) & 0xFF),
    "sum8_inverted": (1, lambda data: ~sum(data) & 0xFF),
    "xor8": (1, _xor),
    "crc8": (1, lambda data: crc(data, 8, 0x07, 0, False, 0)),
    "crc8_maxim": (1, lambda data: crc(data, 8, 0x31, 0, True, 0)),
    "crc8_sae": (1, lambda data: crc(data, 8, 0x1D, 0xFF, False, 0xFF)),
    "sum16": (2, lambda data: sum(data) & 0xFFFF),
    "sum16_negative": (2, lambda data: -sum(data) & 0xFFFF),
    "crc16_arc": (2, lambda data: crc(data, 16, 0x8005, 0, True, 0)),
    "crc16_modbus": (2, lambda data: crc(data, 16, 0x8005, 0xFFFF, True, 0)),
    "crc16_usb": (2, lambda data: crc(data, 16, 0x8005, 0xFFFF, True, 0xFFFF)),
    "crc16_xmodem": (2, lambda data: crc(data, 16, 0x1021, 0, False, 0)),
    "crc16_ccitt_false": (2, lambda data: crc(data, 16, 0x1021, 0xFFFF, False, 0)),
    "crc16_kermit": (2, lambda data: crc(data, 16, 0x1021, 0, True, 0)),
    "crc16_x25": (2, lambda data: crc(data, 16, 0x1021, 0xFFFF, True, 0xFFFF)),
    "sum32": (4, lambda data: sum(data) & 0xFFFFFFFF),
    "sum32_words": (4, lambda data: _sum_of_words(data) & 0xFFFFFFFF),
    "xor32_words": (4, _xor_of_words),
    "crc32": (4, lambda data: crc(data, 32, 0x04C11DB7, 0xFFFFFFFF, True, 0xFFFFFFFF)),
    "crc32_bzip2": (4, lambda data: crc(data, 32, 0x04C11DB7, 0xFFFFFFFF, False, 0xFFFFFFFF)),
    "crc32c": (4, lambda data: crc(data, 32, 0x1EDC6F41, 0xFFFFFFFF, True, 0xFFFFFFFF)),
}
"""Name: width in bytes, function."""
