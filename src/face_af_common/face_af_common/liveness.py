"""Whether the nodes of a child process still turn: it beats, its parent counts for how long it has not.

Only time counts in which the child could have turned. On a machine that is far too busy its threads wait most of the
time for a processor, and for Python's lock, which one of those holds: that is slow, not hung.
"""

from __future__ import annotations

import contextlib
import mmap
import time
from collections.abc import Sequence
from pathlib import Path

HANG_S = 2.0
"""An executor that has not turned for so long hangs. Reading a frame takes 0.05 s, the slowest network 0.5 s."""
START_S = 60.0
"""A child whose executors have not all turned for the first time after so long hangs, too."""

_STOOD_STILL_S = 1.0
"""When the parent itself was away for so long, the whole machine stood still, or the two of them."""
_LEAST_SHARE = 0.2
"""Of a busy machine's time this much counts whatever waits, so that a hung child is found there, too: in 10 s."""


class Beats:
    """When the executor of each of the nodes ``names`` has turned last, in memory that parent and child share."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self._times = memoryview(mmap.mmap(-1, 8 * len(self.names))).cast("d")

    def beat(self, executor: int) -> None:
        self._times[executor] = time.monotonic()

    def wait(self) -> None:
        """No node is made yet, and that is right: their time to start begins anew."""
        for executor in range(len(self.names)):
            self._times[executor] = -time.monotonic()

    def reset(self) -> None:
        self._times[:] = memoryview(bytes(self._times.nbytes)).cast("d")

    def last(self) -> list[float]:
        """Monotonic seconds; 0: not yet; negative: the child has waited until then to be the one that works."""
        return list(self._times)


class Silence:
    """For how long each executor of ``beats`` has not turned, in time that the child could use."""

    def __init__(self, beats: Beats, now: float) -> None:
        self._beats, self._looked = beats, now
        self._last = beats.last()
        self._seconds = [0.0] * len(self._last)

    def look(self, now: float, starved_s: float = 0.0) -> None:
        """``now``: monotonic seconds; ``starved_s``: so long since the last look a thread waited for a processor."""
        took = now - self._looked
        self._looked = now
        counted = 0.0 if took > _STOOD_STILL_S else max(took - starved_s, _LEAST_SHARE * took)
        before, self._last = self._last, self._beats.last()
        for executor, (then, last) in enumerate(zip(before, self._last, strict=True)):
            self._seconds[executor] = self._seconds[executor] + counted if last == then else 0.0

    def hung(self, hang_s: float = HANG_S) -> list[str]:
        """The nodes whose executors have been silent for too long."""
        limits = [hang_s if last > 0.0 else START_S for last in self._last]
        silent = zip(self._beats.names, self._seconds, limits, strict=True)
        return [name for name, seconds, limit in silent if seconds > limit]


class Starvation:
    """How long the threads of a process wait for a processor: ``/proc/PID/task/TID/schedstat``, the second number.

    Always 0 where the kernel does not count it (``CONFIG_SCHED_INFO``).
    """

    def __init__(self, process: int) -> None:
        self._tasks = Path(f"/proc/{process}/task")
        self._waited: dict[str, int] = {}

    def since_last(self) -> float:
        """Seconds that the thread which waited longest has waited since the last call; 0 at the first."""
        before, self._waited = self._waited, self._read()
        return max((waited - before.get(task, waited) for task, waited in self._waited.items()), default=0) / 1e9

    def _read(self) -> dict[str, int]:
        waited = {}
        with contextlib.suppress(OSError):  # the process has just ended
            for task in self._tasks.iterdir():
                with contextlib.suppress(OSError, ValueError, IndexError):  # or one of its threads
                    waited[task.name] = int((task / "schedstat").read_text().split()[1])
        return waited
