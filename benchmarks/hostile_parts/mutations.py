"""Random values, messages and bytes that nobody who means well would send."""

from __future__ import annotations

import array
import functools
import importlib
import math
import random
import re
from typing import Any

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image

_NUMBERS = (0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 1e30, -1e30, 3.4e38, 1e-40, 1e9)
_TEXTS = (
    "", " ", "\n", "anna", "left", "af_area", "time_line",
    "../../etc/passwd", "/proc/kmsg", "/dev/zero", "/dev/stdin", "largest known", "none",
    "%s%n{0}", "a" * 300, "x" * 100_000, "\u202eevil", "\u0000", "'; --", "Zoe\u0308", "\U0001f469\u200d\U0001f3a4",
)  # fmt: skip
_SIDES = (1, 2, 3, 7, 16, 64, 321, 640, 1920, 60_000)
_MOST_PIXELS = 400_000
_ENCODINGS = (
    "bgr8", "bgr8", "rgb8", "bgra8", "rgba8", "mono8", "mono16", "yuv422", "yuv422_yuy2", "uyvy", "nv12", "nv21",
    "bayer_rggb8", "32FC1", "8UC3", "BGR8", "",
)  # fmt: skip
_MANY = (*(0, 0, 1, 2, 5, 20) * 8, 3000)
_FEW = (0, 0, 1, 2, 5, 20)
_SIZES = {"8": 8, "16": 16, "32": 32, "64": 64}
_ARRAY = re.compile(r"(?:sequence<(.+?)(?:, \d+)?>|(.+)\[(\d+)\])$")


def text(rng: random.Random) -> str:
    if rng.random() < 0.7:
        return rng.choice(_TEXTS)
    return "".join(
        chr(rng.choice((rng.randrange(32, 127), rng.randrange(1, 0xD800)))) for _ in range(rng.randrange(60))
    )


def number(rng: random.Random) -> float:
    return rng.choice(_NUMBERS) if rng.random() < 0.5 else rng.uniform(-2000, 4000)


def message(kind: Any, rng: random.Random, depth: int = 0) -> Any:
    """A message (or request) of ``kind`` whose fields are random, within what its types can hold."""
    made = kind()
    for name, described in kind.get_fields_and_field_types().items():
        if rng.random() < 0.15:
            continue
        setattr(made, name, _value(described, rng, depth))
    if rng.random() < 0.5 and kind in _PICTURES:
        _PICTURES[kind](made, rng)
    return made


def _raw(made: Any, rng: random.Random) -> None:
    """An image that is what it says, of whatever size and encoding."""
    made.width = rng.choice(_SIDES)
    made.height = max(1, min(rng.choice(_SIDES), _MOST_PIXELS // made.width))
    made.encoding, made.is_bigendian = rng.choice(_ENCODINGS), 0
    made.step = made.width * rng.choice((1, 2, 3, 3, 3, 4)) + rng.choice((0, 0, 0, 5))
    made.data = array.array("B", rng.randbytes(made.step * made.height))


def _compressed(made: Any, rng: random.Random) -> None:
    """A JPEG, or what was one."""
    made.format = rng.choice(("jpeg", "png", "bgr8; jpeg compressed bgr8", ""))
    data = _jpeg()
    made.data = array.array("B", data if rng.random() < 0.2 else mutated(data, rng))


@functools.cache
def _jpeg() -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8)
    return bytes(cv2.imencode(".jpg", noise)[1])


def _value(described: str, rng: random.Random, depth: int) -> Any:
    array = _ARRAY.match(described)
    if array:
        kind, fixed = array[1] or array[2], array[3]
        # what is large in large things is too large to send
        count = int(fixed) if fixed else rng.choice(_FEW if depth else _MANY)
        if kind in ("uint8", "byte", "octet"):
            return bytes(rng.randrange(256) for _ in range(count)) if kind != "uint8" else list(rng.randbytes(count))
        return [_value(kind, rng, depth + 1) for _ in range(count)]
    if described in ("float", "double"):
        return number(rng)
    if described == "boolean":
        return rng.random() < 0.5
    if described in ("string", "wstring"):
        return text(rng)[: 1000 if depth else None]
    if described == "octet":
        return bytes([rng.randrange(256)])
    if "int" in described and "/" not in described:
        bits = _SIZES[re.sub(r"\D", "", described)]
        low, high = (0, 2**bits - 1) if described.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return rng.choice((low, high, 0, 1, 2, 3, 4, 7)) if rng.random() < 0.5 else rng.randint(low, high)
    package, name = described.split("/")
    return message(getattr(importlib.import_module(f"{package}.msg"), name), rng, depth + 1)


def near(value: Any, rng: random.Random) -> Any:
    """A ``ParameterValue`` of the same type, whose value may be taken for one that is meant."""
    made = message(type(value), rng, 1)
    made.type = value.type
    if value.type == 3:
        made.double_value = rng.choice((0.0, 0.01, 0.5, 1.0, value.double_value * rng.uniform(0, 3), number(rng)))
    elif value.type == 2:
        made.integer_value = max(
            -(2**63), min(2**63 - 1, rng.choice((0, 1, 2, value.integer_value + rng.randint(-9, 9))))
        )
    elif value.type == 4 and rng.random() < 0.5:
        made.string_value = value.string_value
    return made


def mutated(data: bytes, rng: random.Random) -> bytes:
    """``data`` with some bytes changed, cut off, doubled or put in."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(found) + 1)
        act = rng.randrange(6)
        if act == 0 and found:
            found[min(at, len(found) - 1)] = rng.randrange(256)
        elif act == 1:
            found[at : at + 4] = rng.choice(
                (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80")
            )
        elif act == 2:
            del found[at : at + rng.randrange(1, 40)]
        elif act == 3:
            found[at:at] = rng.randbytes(rng.randrange(1, 40))
        elif act == 4:
            found[at:at] = found[at : at + rng.randrange(1, 400)]
        elif rng.random() < 0.3:
            del found[at:]
    return bytes(found)


_PICTURES = {Image: _raw, CompressedImage: _compressed}
