"""The demo's node graph as a child process: a DDS domain and ports of its own, nothing left behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

_STOP_S = 15.0
"""Time for an orderly end after SIGINT; launch itself escalates to SIGTERM after 5 s and SIGKILL after 10 s."""

_NOISE = re.compile(r"\x1b\[[0-9;]*m")


class Graph:
    """``ros2 launch face_af FILE name:=value ...``, its output in ``log``."""

    def __init__(self, launch_file: str, arguments: Mapping[str, object], log: Path) -> None:
        self.started = time.monotonic()
        self._log_path = log
        self._log = log.open("wb")
        command = ["ros2", "launch", "face_af", launch_file, *(f"{k}:={v}" for k, v in arguments.items() if v != "")]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            # a group of its own: Ctrl-C reaches us first, and we end it in order
            start_new_session=True,
            preexec_fn=_die_with_parent,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def problem(self) -> str:
        """The last line of the log that tells of a fault, or the last line."""
        self._log.flush()
        lines = [_NOISE.sub("", line).strip() for line in self._log_path.read_text(errors="replace").splitlines()]
        lines = [line for line in lines if line]
        told = [line for line in lines if re.search(r"FATAL|ERROR|error", line) and "process has died" not in line]
        return (told or lines or ["it said nothing"])[-1]

    def stop(self) -> None:
        """Ends every process of the graph: SIGINT to launch first, SIGKILL to its group when that takes too long."""
        if self.running:
            self._process.send_signal(signal.SIGINT)
            deadline = time.monotonic() + _STOP_S
            while self.running and time.monotonic() < deadline:
                # a second Ctrl-C must not leave nodes behind
                with contextlib.suppress(KeyboardInterrupt):
                    time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def __enter__(self) -> Graph:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _die_with_parent() -> None:
    """Linux: the child gets SIGINT when this process is gone, even by kill -9 (prctl(2), PR_SET_PDEATHSIG = 1)."""
    with contextlib.suppress(OSError):
        ctypes.CDLL(None).prctl(1, signal.SIGINT)
