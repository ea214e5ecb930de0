"""Records a running graph without ever holding it up: a slow disk costs messages of the recording, never time."""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..bag.bag_folder import BagFolder, RecordingError, TopicInfo, free_bytes

COMPRESSED_TYPE = "sensor_msgs/msg/CompressedImage"
CLOSE_S = 1.2
"""So long what waits is still written at the end; a process has 2 s to end."""


@dataclass(frozen=True)
class RecorderLimits:
    """Bounds of a recording. Bytes and seconds; 0 = no split."""

    split_bytes: int = 0
    split_s: float = 0.0
    min_free_bytes: int = 0
    flush_s: float = 0.5
    sync: bool = True


@dataclass
class RecorderCounts:
    """What happened so far."""

    messages: int = 0
    messages_dropped: int = 0


class BagRecorder:
    """Takes serialized messages from one thread; another one writes them.

    What waits for the disk is bounded: when it cannot keep up, messages are dropped and counted.
    ``on_stop`` is called once (from the writing thread) when the recording ends by itself: disk nearly full,
    or an error of the disk. Nothing here raises into the caller's thread.
    """

    _MOST_WAITING = 20_000
    MOST_WAITING_BYTES = 256_000_000
    """Messages that the disk has not taken yet; more are dropped and counted."""

    def __init__(
        self,
        folder: Path,
        limits: RecorderLimits,
        session: dict[str, str] | None = None,
        on_stop: Callable[[str], None] | None = None,
    ) -> None:
        self.folder = folder
        self.limits = limits
        self.counts = RecorderCounts()
        self.stopped = ""
        """Why the recording has ended by itself; empty while it runs."""
        self._on_stop = on_stop or (lambda reason: None)
        self._check_space()
        self._bag = BagFolder(folder, limits.split_bytes, int(limits.split_s * 1e9), session)
        self._rows: queue.Queue[Callable[[], None] | None] = queue.Queue(self._MOST_WAITING)
        self._bytes_taken = 0
        self._bytes_written = 0
        self._end_at = math.inf
        """When nothing more is written (monotonic seconds)."""
        self._writer = threading.Thread(target=self._write_loop, name="recorder-disk", daemon=True)
        self._writer.start()

    def add_topic(self, topic: TopicInfo) -> None:
        self._put(lambda: self._bag.add_topic(topic))

    def set_session(self, values: dict[str, str]) -> None:
        self._put(lambda: self._bag.set_session(values))

    def add(self, topic: str, log_time: int, data: bytes) -> None:
        """One serialized message of a known topic; ``log_time`` in nanoseconds."""
        if self._bytes_taken - self._bytes_written > self.MOST_WAITING_BYTES:
            self.counts.messages_dropped += 1
            return

        def write() -> None:
            self._bytes_written += len(data)
            self._bag.add(topic, log_time, log_time, data)

        if self._put(write):
            self._bytes_taken += len(data)

    @property
    def files(self) -> int:
        return self._bag.files

    def close(self, within_s: float = CLOSE_S) -> None:
        """Writes what waits, for ``within_s`` seconds at most, and closes the bag; what was left out counts as dropped.

        A second call does nothing.
        """
        if self._writer.is_alive():
            self._end_at = time.monotonic() + within_s
            with contextlib.suppress(queue.Full):
                self._rows.put_nowait(None)
            self._writer.join()

    def _put(self, row: Callable[[], None]) -> bool:
        if self.stopped:
            return False
        try:
            self._rows.put_nowait(row)
        except queue.Full:
            self.counts.messages_dropped += 1
            return False
        return True

    def _write_loop(self) -> None:
        due = time.monotonic() + self.limits.flush_s
        running = True
        while running:
            try:
                row = self._rows.get(timeout=max(0.0, due - time.monotonic()))
                if row is None:
                    running = False
                elif not self.stopped:
                    row()
                    self.counts.messages += 1
            except queue.Empty:
                pass
            except (OSError, RecordingError) as error:
                self._stop(self._told(error))
            if running and time.monotonic() >= self._end_at:
                self._drop_waiting()
                running = False
            if self.stopped or (running and time.monotonic() < due):
                continue
            due = time.monotonic() + self.limits.flush_s
            try:
                self._bag.flush(self.limits.sync)
                self._check_space()
            except (OSError, RecordingError) as error:
                self._stop(self._told(error))
        if not self.stopped:
            self._close_bag()

    def _drop_waiting(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self.counts.messages_dropped += self._rows.get_nowait() is not None

    def _check_space(self) -> None:
        free = free_bytes(self.folder)
        if free < self.limits.min_free_bytes:
            must = self.limits.min_free_bytes / 1e6
            raise RecordingError(f"{free / 1e6:.0f} MB are free on the disk of {self.folder}, {must:.0f} MB must stay")

    def _stop(self, reason: str) -> None:
        self.stopped = reason
        self._close_bag()
        self._on_stop(reason)

    def _close_bag(self) -> None:
        try:
            self._bag.close()
        except (OSError, RecordingError) as error:
            self.stopped = self.stopped or self._told(error)

    def _told(self, error: Exception) -> str:
        """One line that names what could not be written; the disk's own errors do not."""
        if isinstance(error, OSError) and error.filename is None:
            return f"{self.folder}: {error.strerror or error}"
        return str(error)
