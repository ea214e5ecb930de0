"""Lines of JSON in a file that grows while a program runs, from which the next run goes on.

Each has a checksum: the line at which a program was stopped, and one that was damaged later, are not believed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

_CHECK = "check"


def line(entry: Mapping[str, Any]) -> str:
    """``entry`` as a line, with its end."""
    return json.dumps({**entry, _CHECK: _checksum(entry)}, default=list) + "\n"


def parsed(text: str) -> dict[str, Any] | None:
    """What :func:`line` was given, as JSON has it; None for anything else."""
    try:
        entry = dict(json.loads(text))
        check = entry.pop(_CHECK)
        return entry if check == _checksum(entry) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _checksum(entry: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(entry, sort_keys=True, default=list).encode())
