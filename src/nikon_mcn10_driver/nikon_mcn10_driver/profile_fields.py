"""The YAML form of a step's parameters and data: numbers, hexadecimal text, and fields such as ``{counter: n}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .checksums import CHECKSUMS
from .fields import UNITS, Checksum, Clock, Counter, CounterRule, Echo, Field, TransactionId
from .profile import ProfileError

MAX_DATA = 1 << 16
"""Bytes of one data phase."""

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "counter": ("advance",),
    "echo": ("offset", "parameter", "request", "add", "xor"),
    "time": ("start", "unix"),
    "transaction": (),
    "checksum": ("from", "to"),
}
_WIDTHS = (1, 2, 3, 4, 6, 8)


class Checker:
    """Values of one file; every complaint begins with ``where`` and names the key."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.counters: Mapping[str, CounterRule] = {}

    def mapping(self, content: Any, path: str, known: Iterable[str]) -> dict[str, Any]:
        if not isinstance(content, dict):
            raise ProfileError(f"{self.where}: {path or 'the file'} must have keys: {', '.join(known)}")
        for key in content:
            if key not in known:
                full = f"{path}.{key}" if path else key
                raise ProfileError(f"{self.where}: there is no key {full}; there are {', '.join(known)}")
        return content

    def number(self, content: Any, path: str, highest: int, lowest: int = 0) -> int:
        if type(content) is not int or not lowest <= content <= highest:
            low = lowest if lowest >= 0 else f"-0x{-lowest:X}"
            raise ProfileError(
                f"{self.where}: {path} must be whole numbers from {low} to 0x{highest:X}, got {content!r}"
            )
        return content

    def seconds(self, content: Any, path: str, low: float = 0.0, high: float = 5.0) -> float:
        if type(content) not in (int, float) or not low <= content <= high:
            raise ProfileError(f"{self.where}: {path} must be seconds from {low} to {high}, got {content!r}")
        return float(content)


def parse_params(check: Checker, content: Any, path: str) -> tuple[int | Field, ...]:
    """Up to five u32 values or fields."""
    if not isinstance(content, list):
        raise ProfileError(f"{check.where}: {path} must be whole numbers from 0 to 0xFFFFFFFF, got {content!r}")
    if len(content) > 5:
        raise ProfileError(f"{check.where}: {path} has {len(content)} numbers, 5 are possible")
    size = 4 * len(content)
    return tuple(
        _field(check, entry, path, size) if isinstance(entry, dict) else check.number(entry, path, 0xFFFFFFFF)
        for entry in content
    )


def parse_data(check: Checker, content: Any, path: str) -> bytes | tuple[bytes | Field, ...]:
    """Hexadecimal text, or a list of such texts and fields."""
    if not isinstance(content, list):
        return _hexadecimal(check, content, path)
    parts: list[bytes | Field] = [
        _field(check, entry, path, MAX_DATA) if isinstance(entry, dict) else _hexadecimal(check, entry, path)
        for entry in content
    ]
    size = sum(len(part) if isinstance(part, bytes) else part.bytes for part in parts)
    for part in parts:
        if isinstance(part, Checksum) and part.end > size:
            raise ProfileError(f"{check.where}: {path}: checksum goes to byte {part.end}, the data has {size}")
    return tuple(parts)


def _hexadecimal(check: Checker, content: Any, path: str) -> bytes:
    try:
        data = bytes.fromhex(content)
    except (TypeError, ValueError) as error:
        raise ProfileError(f'{check.where}: {path} must be hexadecimal digits in quotes, such as "01 00 ff"') from error
    if len(data) > MAX_DATA:
        raise ProfileError(f"{check.where}: {path} has {len(data)} bytes, {MAX_DATA} are possible")
    return data


def field_keys() -> str:
    return ", ".join(_FIELDS)


def _field(check: Checker, content: dict[str, Any], path: str, size: int) -> Field:
    kinds = [key for key in content if key in _FIELDS]
    if len(kinds) != 1:
        raise ProfileError(f"{check.where}: {path} has a field that is none of {field_keys()}: {content!r}")
    kind = kinds[0]
    entry = check.mapping(content, path, (kind, *_FIELDS[kind], "bytes", "order"))
    width = entry.get("bytes", CHECKSUMS[entry[kind]][0] if kind == "checksum" and _known(entry[kind]) else 4)
    order = entry.get("order", "little")
    if type(width) is not int or width not in _WIDTHS:
        raise ProfileError(f"{check.where}: {path}.bytes must be one of {_WIDTHS}, got {width!r}")
    if order not in ("little", "big"):
        raise ProfileError(f"{check.where}: {path}.order must be little or big, got {order!r}")
    big = order == "big"
    value = entry[kind]
    if kind == "counter":
        if not isinstance(value, str) or value not in check.counters:
            known = ", ".join(check.counters) or "none"
            raise ProfileError(f"{check.where}: {path}: there is no counter {value!r}; counters has {known}")
        return Counter(value, _flag(check, entry, "advance", True, path), width, big)
    if kind == "echo":
        return _echo(check, entry, path, width, big)
    if kind == "time":
        if value not in UNITS:
            raise ProfileError(f"{check.where}: {path}.time must be one of {', '.join(UNITS)}, got {value!r}")
        start = check.number(entry.get("start", 0), f"{path}.start", 1 << 64, lowest=-(1 << 64))
        return Clock(value, start, _flag(check, entry, "unix", False, path), width, big)
    if kind == "transaction":
        return TransactionId(check.number(value, f"{path}.transaction", 1 << 32, lowest=-(1 << 32)), width, big)
    if not _known(value):
        raise ProfileError(f"{check.where}: {path}.checksum must be one of {', '.join(CHECKSUMS)}, got {value!r}")
    first = check.number(entry.get("from", 0), f"{path}.from", size)
    end = check.number(entry.get("to"), f"{path}.to", size, lowest=first)
    return Checksum(value, first, end, width, big)


def _known(kind: Any) -> bool:
    return isinstance(kind, str) and kind in CHECKSUMS


def _echo(check: Checker, entry: dict[str, Any], path: str, width: int, big: bool) -> Echo:
    if ("offset" in entry) == ("parameter" in entry):
        raise ProfileError(f"{check.where}: {path}: an echo needs either offset or parameter")
    request = entry.get("request")
    if request is not None and not (isinstance(request, list) and len(request) <= 5):
        raise ProfileError(f"{check.where}: {path}.request must be a list of parameters, got {request!r}")
    return Echo(
        check.number(entry["echo"], f"{path}.echo", 0xFFFF),
        check.number(entry["offset"], f"{path}.offset", MAX_DATA) if "offset" in entry else None,
        check.number(entry["parameter"], f"{path}.parameter", 4) if "parameter" in entry else None,
        None if request is None else tuple(check.number(n, f"{path}.request", 0xFFFFFFFF) for n in request),
        check.number(entry.get("add", 0), f"{path}.add", 1 << 64, lowest=-(1 << 64)),
        check.number(entry.get("xor", 0), f"{path}.xor", 1 << 64),
        width,
        big,
    )


def _flag(check: Checker, entry: dict[str, Any], key: str, default: bool, path: str) -> bool:
    value = entry.get(key, default)
    if type(value) is not bool:
        raise ProfileError(f"{check.where}: {path}.{key} must be true or false, got {value!r}")
    return value


def show_params(params: Iterable[int | Field]) -> list[Any]:
    """What :func:`parse_params` reads."""
    return [entry if isinstance(entry, int) else show_field(entry, in_params=True) for entry in params]


def show_data(data: bytes | tuple[bytes | Field, ...]) -> str | list[Any]:
    """What :func:`parse_data` reads."""
    if isinstance(data, bytes):
        return data.hex(" ")
    return [part.hex(" ") if isinstance(part, bytes) else show_field(part) for part in data]


def show_field(part: Field, in_params: bool = False) -> dict[str, Any]:
    """One field as its YAML mapping."""
    shown: dict[str, Any]
    if isinstance(part, Counter):
        shown = {"counter": part.name} | ({} if part.advance else {"advance": False})
    elif isinstance(part, Clock):
        shown = (
            {"time": part.unit} | ({"start": part.start} if part.start else {}) | ({"unix": True} if part.unix else {})
        )
    elif isinstance(part, TransactionId):
        shown = {"transaction": part.start}
    elif isinstance(part, Checksum):
        shown = {"checksum": part.kind, "from": part.first, "to": part.end}
    else:
        shown = {"echo": part.operation}
        for key in ("offset", "parameter"):
            if (value := getattr(part, key)) is not None:
                shown[key] = value
        if part.request is not None:
            shown["request"] = list(part.request)
        shown |= {key: getattr(part, key) for key in ("add", "xor") if getattr(part, key)}
    if part.bytes != (CHECKSUMS[part.kind][0] if isinstance(part, Checksum) else 4):
        shown["bytes"] = part.bytes
    if part.big:
        shown["order"] = "big"
    return shown
