"""The stamp of a serialized message (CDR), read without deserializing it."""

from __future__ import annotations

import struct


class CdrError(ValueError):
    """Bytes that are not the message they should be."""


def stamp_of(data: bytes) -> int:
    """Nanoseconds of the header's stamp of a serialized message that begins with a ``std_msgs/Header``."""
    try:
        sec, nanosec = struct.unpack_from(("<" if data[1] & 1 else ">") + "iI", data, 4)
    except (struct.error, IndexError) as error:
        raise CdrError("no header") from error
    return int(sec) * 1_000_000_000 + int(nanosec)
