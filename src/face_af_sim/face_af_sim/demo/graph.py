"""The demo's node graph as a child process: a DDS domain and ports of its own, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from face_af_common.tools import die_with_parent

_STOP_S = 15.0
"""Time for an orderly end after SIGINT; launch itself escalates to SIGTERM after 5 s and SIGKILL after 10 s."""

INTERRUPTED_S = 1.0
"""The same where the user has pressed Ctrl-C; a recording is whole at every moment."""

_NOISE = re.compile(r"\x1b\[[0-9;]*m")
_FAULT = re.compile(r"FATAL|ERROR|\[WARN\] \w+ (has ended|hangs)")
_PREFIX = re.compile(r"^(\[[^]]*\]:? *)+")


class Graph:
    """``ros2 launch face_af FILE name:=value ...``, its output in ``log``."""

    def __init__(self, launch_file: str, arguments: Mapping[str, object], log: Path) -> None:
        self.started = time.monotonic()
        self._asked_at = 0.0
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
            preexec_fn=_end_with_parent,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def problem(self) -> str:
        """The line of the log that tells why it went wrong."""
        return cause(self._lines())

    def faults_of(self, node: str) -> list[str]:
        """What a node has logged as an error."""
        return faults_of(node, self._lines())

    def _lines(self) -> list[str]:
        lines = [_NOISE.sub("", line).strip() for line in self._log_path.read_text(errors="replace").splitlines()]
        return [line for line in lines if line]

    def ask_to_end(self) -> None:
        """SIGINT to launch, which ends its processes in order; :meth:`stop` waits for it."""
        if self.running and not self._asked_at:
            self._asked_at = time.monotonic()
            self._process.send_signal(signal.SIGINT)

    def stop(self, patience_s: float = _STOP_S) -> None:
        """Ends every process of the graph; SIGKILL to its group where that takes too long after it was asked to."""
        if self.running:
            self.ask_to_end()
            deadline = self._asked_at + patience_s
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
        self.stop(INTERRUPTED_S if isinstance(error, KeyboardInterrupt) else _STOP_S)


def faults_of(node: str, lines: Sequence[str]) -> list[str]:
    """What of a log's lines says that a node has failed, its process' end included, without their prefixes."""
    found = [line for line in lines if f"[{node}" in line and _FAULT.search(line)]
    return [_PREFIX.sub("", line) for line in found]


def cause(lines: Sequence[str]) -> str:
    """Of a log's lines the one that says what went wrong first: later errors are mostly its consequences.

    A node that gives up says FATAL; of one that died without, its last words; else the first error.
    """
    for line in lines:
        if "FATAL" in line:
            return line
    for index, line in enumerate(lines):
        if "process has died" in line:
            process = re.search(r"\[([\w-]+)\]", line.partition("]")[2] or line)
            words = [text for text in lines[:index] if process and text.startswith(f"[{process[1]}]")]
            return words[-1] if words else line
    errors = [line for line in lines if re.search(r"ERROR|[Ee]rror:", line)]
    return errors[0] if errors else lines[-1] if lines else "it said nothing"


def _end_with_parent() -> None:
    die_with_parent(signal.SIGINT)
