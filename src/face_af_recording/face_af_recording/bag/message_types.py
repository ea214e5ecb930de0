"""Message classes by their type name."""

from __future__ import annotations

import importlib
from typing import Any


def find_type(name: str) -> Any:
    """The class of ``package/msg/Name``; ImportError, AttributeError or ValueError when it is not installed."""
    package, middle, leaf = name.split("/")
    return getattr(importlib.import_module(f"{package}.{middle}"), leaf)


def fitting(kind: str, raw: bytes, value: Any) -> Any:
    """A recorded message as this version has its type: ``raw`` where that reads, else a message made of ``value``.

    ``value`` is what the recording's own definition makes of it. Fields that it lacks have their defaults.
    """
    from rclpy.serialization import deserialize_message

    try:
        deserialize_message(raw, find_type(kind))
        return raw
    except Exception:  # of the middleware's own
        return _taken(find_type(kind)(), value)


def _taken(message: Any, value: Any) -> Any:
    """``message`` with the fields that ``value`` has too."""
    for field, kind in message.get_fields_and_field_types().items():
        if not hasattr(value, field):
            continue
        given = getattr(value, field)
        inner = kind.removeprefix("sequence<").rstrip(">").split("[")[0]
        if "/" not in inner:
            setattr(message, field, given.tolist() if hasattr(given, "tolist") else given)
        elif kind == inner:
            _taken(getattr(message, field), given)
        else:
            element = find_type(inner.replace("/", "/msg/"))
            setattr(message, field, [_taken(element(), one) for one in given])
    return message
