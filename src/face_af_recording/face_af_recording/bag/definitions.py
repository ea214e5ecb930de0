"""Message definitions as MCAP wants them: the ``.msg`` text of a type and of every type that it contains."""

from __future__ import annotations

import functools
import re
from pathlib import Path

_PRIMITIVES = {"bool", "byte", "char", "string", "wstring", "float32", "float64"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
_FIELD = re.compile(r"^([A-Za-z][\w/]*)(?:<=\d+)?(?:\[[<=\d]*\])?\s+[a-zA-Z]\w*(\s|$|=)")


@functools.cache
def definition(type_name: str) -> str:
    """The complete definition of ``package/msg/Name``; empty where its ``.msg`` files are not installed."""
    seen: dict[str, str] = {}
    waiting = [type_name]
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        text = _msg_text(name)
        if text is None:
            return ""
        seen[name] = text
        package = name.split("/")[0]
        waiting += [_full_name(used, package) for used in _used_types(text)]
    first, *rest = seen.items()
    line = "=" * 80
    return first[1] + "".join(f"\n{line}\nMSG: {_short(name)}\n{text}" for name, text in rest)


def _msg_text(name: str) -> str | None:
    from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

    package, _, leaf = name.split("/")
    try:
        return (Path(get_package_share_directory(package)) / "msg" / f"{leaf}.msg").read_text(encoding="utf-8").rstrip()
    except (PackageNotFoundError, OSError):
        return None


def _used_types(text: str) -> list[str]:
    used = []
    for line in text.splitlines():
        match = _FIELD.match(line.split("#")[0].strip())
        if match and match[1] not in _PRIMITIVES:
            used.append(match[1])
    return used


def _full_name(used: str, package: str) -> str:
    parts = used.split("/")
    return f"{package}/msg/{used}" if len(parts) == 1 else f"{parts[0]}/msg/{parts[-1]}"


def _short(name: str) -> str:
    package, _, leaf = name.split("/")
    return f"{package}/{leaf}"
