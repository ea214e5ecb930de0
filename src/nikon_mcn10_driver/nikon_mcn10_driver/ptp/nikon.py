"""Nikon's own datasets: both kinds of event list, and the header of a live-view picture."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from .codec import DataType, FormatError, Reader, Writer


@dataclass(frozen=True)
class Event:
    """An event with its parameters (u32), whichever way it came."""

    code: int
    params: tuple[int, ...] = ()


def encode_events(events: Sequence[Event]) -> bytes:
    """The answer to GetEvent (0x90C7), which has room for one parameter each."""
    out = Writer().u16(len(events))
    for event in events:
        if len(event.params) > 1:
            raise FormatError("GetEvent carries one parameter")
        out.u16(event.code).u32(event.params[0] if event.params else 0)
    return out.done()


def decode_events(data: bytes) -> tuple[Event, ...]:
    r = Reader(data)
    count = r.u16()
    if count * 6 > r.left:
        raise FormatError(f"{count} events do not fit into {r.left} bytes")
    return tuple(Event(r.u16(), (r.u32(),)) for _ in range(count))


def encode_events_ex(events: Sequence[Event]) -> bytes:
    """The answer to GetEventEx (0x941C): a u32 count, then events with any number of parameters."""
    out = Writer().u32(len(events))
    for event in events:
        out.u16(event.code).u16(len(event.params)).array(DataType.UINT32, event.params, counted=False)
    return out.done()


def decode_events_ex(data: bytes) -> tuple[Event, ...]:
    r = Reader(data)
    count = r.u32()
    if count * 4 > r.left:
        raise FormatError(f"{count} events do not fit into {r.left} bytes")
    return tuple(Event(r.u16(), r.array(DataType.UINT32, r.u16())) for _ in range(count))


@dataclass(frozen=True)
class LiveViewBox:
    """An AF box: size and centre in the space of the header's ``whole`` size."""

    width: int
    height: int
    center_x: int
    center_y: int


LIVE_VIEW_HEADER = 1024
"""Bytes in front of the JPEG on the Z8/Z9 class."""

_MAX_BOXES = (LIVE_VIEW_HEADER - 48) // 8
_FRONT = struct.Struct(">8x2I8H8x8B")


@dataclass(frozen=True)
class LiveViewHeader:
    """The big-endian header of GetLiveViewImageEx (0x9428). Sizes are (width, height); centres (x, y).

    ``boxes[0]`` is the AF area, faces and eyes follow; ``selected`` counts among them. ``af_result``: 0 none,
    1 not focused, 2 focused. ``mode``: 1 subject detection, 2 auto area or tracking.
    """

    jpeg_size: int
    whole: tuple[int, int]
    displayed: tuple[int, int]
    displayed_center: tuple[int, int]
    image: tuple[int, int]
    boxes: tuple[LiveViewBox, ...] = ()
    selected: int = 0
    af_enabled: bool = True
    af_driving: bool = False
    af_result: int = 0
    mode: int = 1
    tracking: bool = False
    info_size: int = LIVE_VIEW_HEADER

    def encode(self) -> bytes:
        """The header alone, ``info_size`` bytes."""
        if len(self.boxes) > _MAX_BOXES or self.info_size < 48 + 8 * len(self.boxes):
            raise FormatError(f"{len(self.boxes)} boxes do not fit into the live-view header")
        flags = (self.af_enabled, self.af_driving, self.af_result, self.mode)
        try:
            front = _FRONT.pack(
                self.info_size,
                self.jpeg_size,
                *self.whole,
                *self.displayed,
                *self.displayed_center,
                *self.image,
                *flags,
                len(self.boxes),
                self.selected,
                self.tracking,
                0,
            )
            boxes = b"".join(struct.pack(">4H", b.width, b.height, b.center_x, b.center_y) for b in self.boxes)
        except struct.error as error:
            raise FormatError(f"a field of the live-view header is out of range: {error}") from error
        return (front + boxes).ljust(self.info_size, b"\0")

    @classmethod
    def decode(cls, data: bytes) -> LiveViewHeader:
        """The header of ``data``; the JPEG is ``data[info_size:info_size + jpeg_size]`` and is checked to be there."""
        if len(data) < _FRONT.size:
            raise FormatError(f"a live-view answer of {len(data)} bytes")
        info_size, jpeg_size, *sizes = _FRONT.unpack_from(data)
        whole, displayed, center, image = (tuple(sizes[i : i + 2]) for i in range(0, 8, 2))
        af_enabled, af_driving, af_result, mode, count, selected, tracking, _ = sizes[8:]
        if info_size < _FRONT.size + 8 * count or info_size + jpeg_size > len(data):
            raise FormatError(f"a live-view answer of {len(data)} bytes says {info_size} + {jpeg_size}, {count} boxes")
        boxes = tuple(LiveViewBox(*struct.unpack_from(">4H", data, _FRONT.size + 8 * i)) for i in range(count))
        return cls(
            jpeg_size,
            whole,
            displayed,
            center,
            image,
            boxes,
            selected,
            bool(af_enabled),
            bool(af_driving),
            af_result,
            mode,
            bool(tracking),
            info_size,
        )
