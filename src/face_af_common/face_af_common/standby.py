"""Two processes for one node: one is the node, the other waits, with everything imported, until the first has ended.

The kernel decides by a file lock, which is free at the very moment in which its holder dies, however it dies.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TURN = "FACE_AF_TURN"
"""Environment variable: the lock file of the node's processes; none = there is only one process."""

_SHARE = 0.25
"""Of a processor, for a process that is not needed yet."""
_CHECK_S = 0.01


class _Line:
    """This process's place in the line at the lock file."""

    def __init__(self, path: Path) -> None:
        self._lock = path.open("ab")
        self._mine = False
        self._used_s = time.process_time()

    def is_first(self, wait: bool = False) -> bool:
        if not self._mine:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                return False
            self._mine = True
        return True

    def slow_down(self) -> None:
        """From now on pauses after each bit of work, until its turn has come."""
        signal.signal(signal.SIGPROF, self._pause)
        signal.siginterrupt(signal.SIGPROF, False)
        atexit.register(self.hurry)  # a signal after Python's handlers have gone would kill
        signal.setitimer(signal.ITIMER_PROF, _CHECK_S, _CHECK_S)

    def hurry(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0.0)

    def _pause(self, *_: object) -> None:
        # the next signal may come in here, and has then done this one's share
        used = max(0.0, time.process_time() - self._used_s)
        self._used_s += used
        until = time.monotonic() + used * (1.0 / _SHARE - 1.0)
        while not self.is_first():
            left = until - time.monotonic()
            if left <= 0.0:
                return
            time.sleep(min(left, _CHECK_S))
        self.hurry()

    def leave(self) -> None:
        self._lock.close()


_line: _Line | None = None


def step_back() -> None:
    """For the start of a process: while another one is the node, this one takes only a share of a processor."""
    global _line
    path = os.environ.get(TURN)
    if path and _line is None:
        _line = _Line(Path(path))
        if not _line.is_first():
            _line.slow_down()


@contextmanager
def turn() -> Iterator[None]:
    """Waits until no other process holds the lock file in :data:`TURN`, and holds it for the body.

    Raises :class:`KeyboardInterrupt` on Ctrl-C while it waits, and :class:`OSError` where the file cannot be made.
    """
    global _line
    step_back()
    if _line is None:
        yield
        return
    _line.hurry()
    _line.is_first(wait=True)
    try:
        yield
    finally:
        _line.leave()
        _line = None
