"""What page and node say to one another (docs/page.md): JSON texts both ways, and frames as binary messages."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

VERSION = 1
"""Of the protocol; a page that was loaded from another version reloads itself."""

MAX_TEXT = 4096
"""Bytes of the longest message that a page sends."""

_FRAME = struct.Struct("<IHHdQ")
"""A frame's head: number, columns and rows of the camera's frame, its age in seconds, its stamp in microseconds."""


class ProtocolError(ValueError):
    """A message that means nothing; one line."""


def is_text(value: str) -> bool:
    """Whether a string can go into a ROS message: UTF-8 without NUL (JSON may carry halves of characters)."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True)
class Field:
    """One value of a message: its type, and its range or largest length."""

    kind: type
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()

    def check(self, name: str, value: Any) -> Any:
        """``value`` where it fits. Raises :class:`ProtocolError`."""
        if self.kind is float and type(value) is int:
            value = float(value)
        if type(value) is not self.kind:
            raise ProtocolError(f"{name}: {self.kind.__name__} is needed")
        if isinstance(value, str) and not is_text(value):
            raise ProtocolError(f"{name}: no text that can be written")
        if self.choices and value not in self.choices:
            raise ProtocolError(f"{name}: one of {', '.join(self.choices)} is needed")
        size: Any = len(value) if isinstance(value, str) else value
        if self.kind is not bool and not self.low <= size <= self.high:  # NaN is in no range
            raise ProtocolError(f"{name}: out of range")
        return value


_NAME = Field(str, 1, 100)
_TRACK = Field(int, 1, 2**32 - 1)
_SHARE = Field(float, 0.0, 1.0)
_SAMPLE = Field(str, 1, 64)
BUTTONS = ("left", "right", "up", "down", "fn1", "fn2")

ACTS: Mapping[str, Mapping[str, Field]] = {
    "target": {"name": _NAME},
    "follow": {"track": _TRACK},
    "nobody": {},
    "pause": {},
    "resume": {},
    "enrol": {"name": _NAME, "track": _TRACK},
    "not_this": {"name": _NAME, "track": _TRACK},
    "recipe": {"name": Field(str, 0, 200)},
    "press": {"button": Field(str, choices=BUTTONS)},
    "focus": {"x": _SHARE, "y": _SHARE},
    "remove_sample": {"name": _NAME, "sample": _SAMPLE},
    "remove_person": {"name": _NAME},
    "calibrate": {
        "x": _SHARE,
        "y": _SHARE,
        "state": Field(str, choices=("detected", "tracked", "active_focus")),
    },
    "set": {"node": Field(str, 1, 60), "name": Field(str, 1, 100), "value": Field(str, 0, 1000)},
    "record": {"on": Field(bool)},
    "undo": {"of": Field(int, 1, 2**53)},
}
"""What a page may ask for, and with which values."""


@dataclass(frozen=True)
class Act:
    """One checked order of a page. ``id``: the page's own number for it."""

    id: int
    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Drawn:
    """The page has drawn frame ``number``."""

    number: int


@dataclass(frozen=True)
class View:
    """How many columns the page shows, in device pixels; ``looking``: whether it can be seen."""

    width: int
    looking: bool


def parse(text: str) -> Act | Drawn | View:
    """A page's message. Raises :class:`ProtocolError`."""
    if len(text) > MAX_TEXT:
        raise ProtocolError("the message is too long")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError("the message is no JSON") from None
    if not isinstance(message, dict):
        raise ProtocolError("the message is no object")
    kind = message.get("t")
    if kind == "drawn":
        return Drawn(Field(int, 0, 2**53).check("n", message.get("n")))
    if kind == "view":
        width = Field(int, 1, 20_000).check("width", message.get("width"))
        return View(width, Field(bool).check("looking", message.get("looking")))
    if kind != "act":
        raise ProtocolError("t: one of act, drawn, view is needed")
    number, name = Field(int, 0, 2**53).check("id", message.get("id")), message.get("act")
    fields = ACTS.get(name) if isinstance(name, str) else None
    if fields is None or not isinstance(name, str):
        raise ProtocolError(f"act: one of {', '.join(ACTS)} is needed")
    return Act(number, name, {key: field.check(key, message.get(key)) for key, field in fields.items()})


def text(kind: str, **values: Any) -> str:
    """A message to the page; numbers that JSON lacks become null."""
    return json.dumps({"t": kind, **_finite(values)}, ensure_ascii=False, separators=(",", ":"))


def frame(number: int, width: int, height: int, age_s: float, stamp_ns: int, jpeg: bytes | memoryview) -> bytes:
    """A frame to the page. ``width`` and ``height``: of the camera's frame, which boxes are given in."""
    return _FRAME.pack(number, width, height, age_s, stamp_ns // 1000) + jpeg


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
