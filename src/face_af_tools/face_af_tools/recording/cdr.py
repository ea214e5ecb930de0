"""Image messages as the bytes that travel (CDR): read without copying the pixels, written as ``CompressedImage``.

Deserializing a 1080p picture into a Python message costs more than encoding its header by hand; a recorder
does it thirty times a second.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass


class CdrError(ValueError):
    """Bytes that are not the message they should be."""


@dataclass(frozen=True)
class RawImage:
    """``sensor_msgs/Image`` as views into its serialized form; ``pixels`` are ``height * step`` bytes."""

    sec: int
    nanosec: int
    frame_id: str
    height: int
    width: int
    encoding: str
    step: int
    pixels: memoryview

    @property
    def stamp_ns(self) -> int:
        return self.sec * 1_000_000_000 + self.nanosec


def parse_image(data: bytes) -> RawImage:
    """A view of a serialized ``sensor_msgs/Image``. Raises :class:`CdrError` for anything else."""
    view = memoryview(data)
    try:
        order = "<" if view[1] & 1 else ">"
        body = view[4:]
        sec, nanosec = struct.unpack_from(order + "iI", body, 0)
        frame_id, at = _string(body, 8, order)
        at = _aligned(at)
        height, width = struct.unpack_from(order + "II", body, at)
        encoding, at = _string(body, at + 8, order)
        at = _aligned(at + 1)
        step, length = struct.unpack_from(order + "II", body, at)
        pixels = body[at + 8 : at + 8 + length]
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise CdrError(f"not a serialized sensor_msgs/Image ({error})") from error
    if len(pixels) != length or length < height * step:
        raise CdrError(f"an image of {width}x{height} with {len(pixels)} bytes")
    return RawImage(sec, nanosec, frame_id, height, width, encoding, step, pixels)


def compressed_image(sec: int, nanosec: int, frame_id: str, image_format: str, data: bytes | memoryview) -> bytes:
    """A serialized ``sensor_msgs/CompressedImage``, little endian."""
    parts = [b"\x00\x01\x00\x00" + struct.pack("<iI", sec, nanosec)]
    length = 8
    for text in (frame_id, image_format):
        padding = -length % 4
        encoded = text.encode() + b"\x00"
        parts.append(b"\x00" * padding + struct.pack("<I", len(encoded)) + encoded)
        length += padding + 4 + len(encoded)
    parts += [b"\x00" * (-length % 4) + struct.pack("<I", len(data)), bytes(data)]
    return b"".join(parts)


def stamp_of(data: bytes) -> int:
    """Nanoseconds of the header's stamp of a serialized message that begins with a ``std_msgs/Header``."""
    try:
        sec, nanosec = struct.unpack_from(("<" if data[1] & 1 else ">") + "iI", data, 4)
    except (struct.error, IndexError) as error:
        raise CdrError("no header") from error
    return int(sec) * 1_000_000_000 + int(nanosec)


def _aligned(at: int) -> int:
    return at + -at % 4


def _string(body: memoryview, at: int, order: str) -> tuple[str, int]:
    at = _aligned(at)
    (length,) = struct.unpack_from(order + "I", body, at)
    at += 4
    if at + length > len(body):
        raise IndexError("a text ends beyond the message")
    return bytes(body[at : at + max(length - 1, 0)]).decode(), at + length
