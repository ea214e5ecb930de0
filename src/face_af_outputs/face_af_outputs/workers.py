"""Threads that carry actions out, one a channel, so that one that is stuck delays neither the graph nor the others."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Hashable

QUEUE = 16
"""Jobs that wait for one channel; a further one is dropped and counted."""
_CLOSE_S = 2.0

Job = Callable[[], None]


class ActionError(Exception):
    """An action failed; the text is one line."""


class Workers:
    """Channels by key, each with a thread of its own that is made when it is first needed."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._queues: dict[Hashable, queue.Queue[Job | None]] = {}
        self._lock = threading.Lock()
        self.dropped = self.failed = self.done = 0

    def submit(self, channel: Hashable, job: Job) -> bool:
        """Never waits. False, and counted, where the channel has too much to do already."""
        with self._lock:
            waiting = self._queues.get(channel)
            if waiting is None:
                waiting = self._queues[channel] = queue.Queue(QUEUE)
                threading.Thread(target=self._work, args=(waiting,), name=f"output {channel}", daemon=True).start()
        try:
            waiting.put_nowait(job)
            return True
        except queue.Full:
            self.dropped += 1
            return False

    def _work(self, waiting: queue.Queue[Job | None]) -> None:
        while (job := waiting.get()) is not None:
            try:
                job()
                self.done += 1
            except ActionError as error:
                self.failed += 1
                self._say(str(error))
            except Exception as error:  # whatever a library makes of a device or a network
                self.failed += 1
                self._say(f"{type(error).__name__}: {error}".splitlines()[0])

    def wait_idle(self, seconds: float) -> bool:
        """For tools: whether every job that was submitted has ended within ``seconds``."""
        marks = []
        for channel in list(self._queues):
            done = threading.Event()
            if self.submit(channel, done.set):
                marks.append(done)
        return all(done.wait(seconds) for done in marks)

    def close(self) -> None:
        """Lets each thread end after the job that it is at."""
        for waiting in self._queues.values():
            try:
                waiting.put(None, timeout=_CLOSE_S / max(1, len(self._queues)))
            except queue.Full:
                pass
