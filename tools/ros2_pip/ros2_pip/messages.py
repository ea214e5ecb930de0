"""Message and service types by name, and messages as text."""

from __future__ import annotations

import array
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ament_index_python.packages import get_package_share_directory

from .main import CommandError


def load_type(name: str, kind: str) -> Any:
    """The class of ``package/kind/Name`` (or ``package/Name``); ``kind`` is ``msg`` or ``srv``."""
    parts = name.split("/")
    if len(parts) == 2:
        parts = [parts[0], kind, parts[1]]
    try:
        package, middle, short = parts
        return getattr(importlib.import_module(f"{package}.{middle}"), short)
    except (ValueError, ImportError, AttributeError) as error:
        raise CommandError(f"the {kind} type '{name}' is invalid or not built") from error


def type_name(kind: Any) -> str:
    """``package/msg/Name`` of a message class."""
    package, middle, *_ = kind.__module__.split(".")
    return f"{package}/{middle}/{kind.__name__}"


def definition(name: str) -> str:
    """The text of a message type and of all types in it, as recordings keep it."""
    parts: list[str] = []
    for part in _nested(name, []):
        header = "" if part == name else f"{'=' * 80}\nMSG: {part.replace('/msg/', '/')}\n"
        parts.append(header + _share_file(part, "msg").read_text("utf-8").rstrip("\n") + "\n")
    return "".join(parts)


def type_hash(name: str) -> str:
    """The type's hash, ``RIHS01_`` and 64 hexadecimal digits."""
    entries = json.loads(_share_file(name, "json").read_text("utf-8"))["type_hashes"]
    return next(str(entry["hash_string"]) for entry in entries if entry["type_name"] == name)


def _nested(name: str, seen: list[str]) -> list[str]:
    if name not in seen:
        seen.append(name)
        for kind in load_type(name, "msg").get_fields_and_field_types().values():
            inner = kind.removeprefix("sequence<").split(">")[0].split("[")[0].split(",")[0]
            if "/" in inner:
                package, short = inner.split("/")[0], inner.split("/")[-1]
                _nested(f"{package}/msg/{short}", seen)
    return seen


def _share_file(name: str, suffix: str) -> Path:
    package, _, short = name.split("/")
    path = Path(get_package_share_directory(package)) / "msg" / f"{short}.{suffix}"
    if not path.is_file():
        raise CommandError(f"there is no {path}")
    return path


class Shown:
    """How much of a message is shown: sequences and texts up to ``limit`` items (None: all)."""

    def __init__(self, limit: int | None = 128, no_arr: bool = False, no_str: bool = False) -> None:
        self.limit, self.no_arr, self.no_str = limit, no_arr, no_str

    def plain(self, value: Any, kind: str = "") -> Any:
        """``value`` as what YAML can write."""
        if hasattr(value, "get_fields_and_field_types"):
            return {
                name: self.plain(getattr(value, name), kind)
                for name, kind in value.get_fields_and_field_types().items()
            }
        if isinstance(value, str):
            if self.no_str:
                return f"<string length: <{len(value)}>>"
            return value if self.limit is None or len(value) <= self.limit else value[: self.limit] + "..."
        if isinstance(value, bytes):
            return value[0] if len(value) == 1 else list(value)
        if isinstance(value, (list, tuple, array.array, np.ndarray)):
            if self.no_arr:
                return f"<{kind}, length: {len(value)}>"
            cut = self.limit is not None and len(value) > self.limit
            items = [self.plain(item) for item in value[: self.limit]]
            return [*items, "..."] if cut else items
        return value.item() if isinstance(value, np.generic) else value

    def text(self, message: Any) -> str:
        """The message as YAML."""
        return yaml.safe_dump(self.plain(message), sort_keys=False, allow_unicode=True, width=10_000)

    def csv(self, message: Any) -> str:
        """All values, separated by commas."""
        return ",".join(str(value) for value in _leaves(self.plain(message)))


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


def fill(message: Any, values: Any) -> Any:
    """``message`` with the fields of a nested dictionary set. CommandError where they do not fit."""
    if not isinstance(values, dict):
        raise CommandError(f"a dictionary of fields is needed, got {values!r}")
    fields = message.get_fields_and_field_types()
    for name, value in values.items():
        if name not in fields:
            raise CommandError(f"{type_name(type(message))} has no field {name}; it has {', '.join(fields)}")
        current = getattr(message, name)
        try:
            if hasattr(current, "get_fields_and_field_types"):
                fill(current, value)
            elif fields[name].startswith("sequence<") and "/" in fields[name] and isinstance(value, list):
                item = load_type(fields[name][len("sequence<") :].rstrip(">").split(",")[0], "msg")
                setattr(message, name, [fill(item(), part) for part in value])
            else:
                setattr(message, name, float(value) if isinstance(current, float) and type(value) is int else value)
        except (AssertionError, TypeError, ValueError) as error:
            raise CommandError(f"{name}: {value!r} does not fit {fields[name]}") from error
    return message
