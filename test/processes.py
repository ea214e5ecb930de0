"""Helpers for tests that start the graph as processes: own domain, nothing left behind, sample photographs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from face_af_common.ros_domain import claim_domain, release_domain
from face_af_sim import samples

_MARK = "FACE_AF_TEST_MARK"

needs_samples = pytest.mark.skipif(
    bool(samples.missing(samples.samples_dir())),
    reason="no sample photographs here: ./run ros2 run face_af_sim fetch_samples (needs a network once)",
)


def uses_stand_in() -> bool:
    """Whether ``ros2`` and ``launch`` are those of tools/ros2_pip here."""
    try:
        import ros2_pip.main  # noqa: F401
    except ImportError:
        return False
    return True


@dataclass
class Started:
    """A process with all its descendants, found by a mark in their environment."""

    process: subprocess.Popen[str]
    mark: str
    log: Path

    def descendants(self) -> list[int]:
        """Process ids that carry our mark and are alive."""
        return self._marked(self.mark)

    def asked(self) -> list[int]:
        """Process ids of what :func:`ros2` has left behind: the daemon of a real ``ros2``."""
        return self._marked(_asking(self.mark))

    @staticmethod
    def _marked(mark: str) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                marked = f"{_MARK}={mark}".encode() in (entry / "environ").read_bytes()
                zombie = "\nState:\tZ" in (entry / "status").read_text()
            except OSError:
                continue
            if marked and not zombie:
                found.append(int(entry.name))
        return found

    def gone(self, timeout: float) -> bool:
        """Whether every process is gone within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.process.poll()
            if not self.descendants():
                return True
            time.sleep(0.1)
        return False

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str, timeout: float) -> bool:
        """Whether ``text`` is printed within ``timeout`` seconds; ends early when the process does."""
        return self.until(lambda: text in self.output(), timeout)

    def until(self, condition: Callable[[], object], timeout: float) -> bool:
        """Whether ``condition`` holds within ``timeout`` seconds; ends early when the process does."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if condition():
                return True
            if self.process.poll() is not None:
                return bool(condition())
            time.sleep(0.1)
        return False


@contextmanager
def started(command: Sequence[str], log: Path, **environment: str) -> Iterator[Started]:
    """Runs ``command`` in a domain of its own and kills whatever is left of it at the end."""
    mark = uuid.uuid4().hex
    claimed = None if "ROS_DOMAIN_ID" in environment else claim_domain()
    if claimed is not None:
        environment["ROS_DOMAIN_ID"] = str(claimed)
    with log.open("w") as out:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={
                **os.environ,
                "PYTHONUNBUFFERED": "1",
                _MARK: mark,
                **environment,
            },
        )
    run = Started(process, mark, log)
    # for a moment after it was started a process has no environment that could be read
    while process.poll() is None and process.pid not in run.descendants():
        time.sleep(0.01)
    try:
        yield run
    finally:
        for pid in run.descendants() + run.asked():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        if claimed is not None:
            release_domain(claimed)


def _asking(mark: str) -> str:
    return f"asking {mark}"


def ros2(run: Started, *arguments: str) -> str:
    """What the command says in the domain of ``run``."""
    environ = Path(f"/proc/{run.process.pid}/environ").read_bytes().split(b"\0")
    domain = next(e.split(b"=")[1].decode() for e in environ if e.startswith(b"ROS_DOMAIN_ID="))
    done = subprocess.run(
        ["ros2", *arguments],
        env={**os.environ, "PYTHONUNBUFFERED": "1", "ROS_DOMAIN_ID": domain, _MARK: _asking(run.mark)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


PYTHON = sys.executable
