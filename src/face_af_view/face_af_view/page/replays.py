"""Recordings played on a page of their own beside this one: with their picture, names, decisions and timeline.

The other page has the same certificate and knows the same devices, but only a copy of both; it runs in a ROS domain of
its own, so that nothing of a recording reaches the show.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from face_af_common.live_state import SESSION
from face_af_common.natural_order import natural
from face_af_common.ros_domain import claim_domain, free_port, release_domain

from .acts import ActError

_MOST_SHOWN = 200
_END_S = 5.0


def recordings(folder: Path) -> list[dict[str, Any]]:
    """The recordings in ``folder``, newest first: ``name`` and ``mb``."""
    found = []
    for path in sorted(folder.iterdir(), key=lambda p: natural(p.name), reverse=True) if folder.is_dir() else []:
        files = [file for file in path.glob("*.mcap") if file.is_file()] if path.is_dir() else []
        if files:
            found.append({"name": path.name, "mb": round(sum(file.stat().st_size for file in files) / 1e6, 1)})
    return found[:_MOST_SHOWN]


@dataclass
class _Playing:
    name: str
    port: int
    process: subprocess.Popen[bytes]
    domain: int
    home: tempfile.TemporaryDirectory[str]


class Replays:
    """At most one recording is played. ``kept``: this page's folder with certificate and devices."""

    def __init__(self, folder: Path, kept: Path, bind: str, *, command: Callable[[], str | None] | None = None) -> None:
        self._folder, self._kept, self._bind = folder, kept, bind
        self._command = command or (lambda: shutil.which("ros2"))
        self._playing: _Playing | None = None

    def list(self) -> list[dict[str, Any]]:
        return recordings(self._folder)

    @property
    def status(self) -> dict[str, Any]:
        """``name`` and ``port`` of what is played, and whether its page answers (``ready``); empty: nothing."""
        playing = self._playing
        if playing is None:
            return {}
        if playing.process.poll() is not None:
            self.stop()
            return {}
        return {"name": playing.name, "port": playing.port, "ready": self._answers(playing.port)}

    def start(self, name: str) -> None:
        """Plays a recording over and over, in the place of another one. Raises :class:`ActError`."""
        command = self._command()
        if command is None:
            raise ActError("the program ros2 is not on this machine's path")
        if name not in {recording["name"] for recording in self.list()}:
            raise ActError(f"there is no recording {name!r}")
        self.stop()
        domain, port = claim_domain(), free_port()
        home = tempfile.TemporaryDirectory(prefix="face_af_replay_")
        if self._kept.is_dir():
            shutil.copytree(self._kept, Path(home.name, "page"))
        words = [command, "launch", "face_af", "replay.launch.py", f"bag:={self._folder / name}", "recompute:=none"]
        words += ["loop:=true", "page:=true", f"page_port:={port}", f"page_bind:={self._bind}"]
        environment = {name: value for name, value in os.environ.items() if name != SESSION}
        environment |= {"ROS_DOMAIN_ID": str(domain), "FACE_AF_DATA_DIR": home.name}
        nothing = subprocess.DEVNULL
        process = subprocess.Popen(words, stdin=nothing, stdout=nothing, start_new_session=True, env=environment)
        self._playing = _Playing(name, port, process, domain, home)

    def stop(self) -> None:
        """Ends the replay, if there is one."""
        playing, self._playing = self._playing, None
        if playing is None:
            return
        for number, patience in ((signal.SIGINT, _END_S), (signal.SIGKILL, _END_S)):
            if playing.process.poll() is None:
                os.killpg(playing.process.pid, number)
                try:
                    playing.process.wait(patience)
                except subprocess.TimeoutExpired:
                    continue
        release_domain(playing.domain)
        playing.home.cleanup()

    def _answers(self, port: int) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", port)) == 0
