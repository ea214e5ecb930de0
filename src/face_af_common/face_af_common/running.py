"""Which graphs run on this machine, and where: each launch leaves a note, which short commands go by."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .files import make_private, read_bytes

_MOST_BYTES = 4096
_held: list[IO[str]] = []
"""Notes of this process: their locks say that it lives, and are let go however it ends."""


@dataclass(frozen=True)
class Running:
    """A graph: its ROS domain, its namespace without slashes around it, and when it was started (since 1970)."""

    domain: int
    namespace: str
    started: float


def folder() -> Path:
    """Where this user's notes are: gone when the machine is started anew."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(runtime or Path(tempfile.gettempdir(), f"face_af-{os.geteuid()}"), "face_af_graphs")


def note(namespace: str) -> None:
    """Notes that this process runs a graph. Where that is impossible, commands need their options, as without."""
    entry = {"domain": own_domain(), "namespace": namespace.strip("/"), "started": time.time()}
    with contextlib.suppress(OSError):
        make_private(folder())
        path = folder() / f"{os.getpid()}-{secrets.token_hex(4)}.json"
        file = path.open("x", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump(entry, file)
        file.flush()
        _held.append(file)
        atexit.register(path.unlink, missing_ok=True)


def own_domain() -> int:
    """The ROS domain of this process' environment."""
    text = os.environ.get("ROS_DOMAIN_ID", "")
    return int(text) if text.isdecimal() else 0


def running() -> list[Running]:
    """The graphs that run now, the newest first. Notes of others than this user are not believed."""
    try:
        if folder().stat().st_uid != os.geteuid():
            return []
        paths = sorted(folder().glob("*.json"))
    except OSError:
        return []
    found = [entry for path in paths if (entry := _read(path)) is not None]
    return sorted(found, key=lambda entry: -entry.started)


def _read(path: Path) -> Running | None:
    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # it lives
            else:
                path.unlink(missing_ok=True)
                return None
        said = json.loads(read_bytes(path, _MOST_BYTES))
        domain, namespace, started = said["domain"], said["namespace"], said["started"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return None
    if type(domain) is not int or not 0 <= domain <= 232 or not isinstance(namespace, str):
        return None
    return Running(domain, namespace, float(started)) if isinstance(started, (int, float)) else None
