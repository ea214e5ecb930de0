"""The one thread that talks to the camera: newest command wins, stale ones die, a lost camera is looked for again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from face_af_common.leader_lock import LeaderLock
from face_af_common.types import Action

from .remote import Identity, Refused, Remote
from .shutter import Burst, Shutter
from .transport import Interrupted, TransportError

_POLL = 0.1
"""Seconds between two looks at the event channel while idle."""
_SHORT = 10.0
"""A connection that does not last for so many seconds may have been ended by another driver's."""
_SUSPICIOUS = 3
"""So many short connections in a row are told of."""
_ENDED = "the connection was closed or lost"


@dataclass
class Command:
    """An action with the stamp (nanoseconds, node clock) of the frame it was decided on; ``id`` 0: by hand."""

    action: Action
    stamp_ns: int
    id: int = 0
    received: float = field(default_factory=time.monotonic)
    arrival: int = 0
    """Set by the link: counts commands in the order in which they came."""
    outcome: str | None = None
    """None while it waits; then empty when it was sent, else why not."""
    done: threading.Event = field(default_factory=threading.Event)


NOBODY = Identity("")


@dataclass(frozen=True)
class LinkStatus:
    """The connection and its counters; ``latency_s``: command received to last byte written, newest command."""

    connected: bool = False
    camera: Identity = NOBODY
    sent: int = 0
    images: int = 0
    """Released by the shutter since the start."""
    dropped_stale: int = 0
    failed: int = 0
    reconnects: int = 0
    last_command_id: int = 0
    last_error: str = ""
    latency_s: float = 0.0


@dataclass(frozen=True)
class LinkTiming:
    """Seconds: oldest command that is still sent; shortest and longest pause between two tries to connect."""

    max_command_age: float
    reconnect_min: float
    reconnect_max: float


class CameraLink:
    """Owns a :class:`Remote` in a thread of its own.

    There is room for one waiting command: a newer one takes its place. A command is sent at most
    once; one that was under way when the connection broke counts as failed, because nobody knows whether the
    camera has seen it. ``clock_ns``: the node clock. ``on_change`` is called with every new status, from any thread.
    ``lock``: what only one driver on this machine may hold, who alone connects.
    """

    def __init__(
        self,
        make_remote: Callable[[], Remote],
        timing: LinkTiming,
        clock_ns: Callable[[], int] = time.time_ns,
        on_change: Callable[[LinkStatus], None] = lambda status: None,
        lock: LeaderLock | None = None,
    ) -> None:
        self._lock = lock
        self._make_remote = make_remote
        self._clock_ns = clock_ns
        self._on_change = on_change
        self._condition = threading.Condition()  # its lock is re-entrant
        self.waiting: Command | None = None
        """The command that goes next; a newer one replaces it."""
        self._shutter = Shutter(self._on_image)
        self._arrivals = 0
        self._handled = 0
        self._status = LinkStatus()
        self._remote: Remote | None = None
        self._closing = False
        self._again = False
        self._thread = threading.Thread(target=self._run, name="camera_link", daemon=True)
        self.timing = timing

    @property
    def status(self) -> LinkStatus:
        return self._status

    def start(self) -> None:
        self._thread.start()

    def submit(self, command: Command) -> None:
        """Hands over a command; it is sent, dropped or refused soon. Without a camera it fails at once."""
        with self._condition:
            self._arrivals += 1
            command.arrival = self._arrivals
            if not self._status.connected:
                self._finish(command, "not connected" + (f": {e}" if (e := self._status.last_error) else ""), failed=1)
                return
            overtaken, self.waiting = self.waiting, command
            if overtaken is not None:
                self._finish(overtaken, "overtaken by a newer command", dropped_stale=1)
            self._condition.notify()

    def release_shutter(self, burst: Burst) -> None:
        """Begins to take the images of ``burst``, between commands; refused at once where that cannot be."""
        with self._condition:
            if not self._status.connected:
                error = self._status.last_error
                burst.finish("not connected" + (f": {error}" if error else ""))
            else:
                self._shutter.begin(burst)
                self._condition.notify()

    def _on_image(self) -> None:
        self._update(images=self._status.images + 1)

    def flush(self, before_ns: int) -> None:
        """Drops a waiting command that was decided on a frame before ``before_ns``."""
        with self._condition:
            if self.waiting is not None and self.waiting.stamp_ns < before_ns:
                flushed, self.waiting = self.waiting, None
                self._finish(flushed, "no longer needed", dropped_stale=1)

    def reconnect(self) -> None:
        """Closes the connection properly, after what is under way, and makes a new one."""
        with self._condition:
            self._again = True
            self._condition.notify()

    def close(self) -> None:
        """Ends the thread and the connection; bounded by one transaction."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)
            with self._condition:
                if self._remote is not None:
                    self._remote.interrupt()
            self._thread.join(timeout=10.0)

    def _run(self) -> None:
        pause = self.timing.reconnect_min
        first = True
        short = 0
        while not self._closing:
            if not self._alone():
                continue
            connected_at = None
            remote = self._make_remote()
            with self._condition:
                self._remote = remote
                self._again = False
            error = ""
            try:
                identity = remote.connect()
                self._update(
                    connected=True, camera=identity, last_error="", reconnects=self._status.reconnects + (not first)
                )
                first = False
                connected_at = time.monotonic()
                self._serve(remote)
            except Interrupted:
                short = 0
            except TransportError as problem:
                error = str(problem)
            except Exception as problem:
                # a fault that nobody foresaw must not end the only thread that could recover from it
                error = f"{type(problem).__name__}: {problem}"
            finally:
                if connected_at is not None:
                    short = short + 1 if error and time.monotonic() - connected_at < _SHORT else 0
                    if short <= 1:
                        pause = self.timing.reconnect_min
                if short >= _SUSPICIOUS:
                    error += f"; {short} times lost soon after connecting: does another driver use the same camera?"
                self._disconnect(remote, error)
            with self._condition:
                if error and not self._closing and not self._again:
                    self._condition.wait(timeout=pause)
            pause = min(2 * pause, self.timing.reconnect_max)
        if self._lock is not None:
            self._lock.release()

    def _alone(self) -> bool:
        """Whether no other driver on this machine has the camera; else waits for a while."""
        held = self._lock.taken() if self._lock is not None else ""
        if held:
            self._update(last_error=f"another driver on this machine has the camera {held}; waiting until it has ended")
            with self._condition:
                self._condition.wait(timeout=self.timing.reconnect_min)
        return not held

    def _disconnect(self, remote: Remote, error: str) -> None:
        with self._condition:
            self._remote = None
            waiting, self.waiting = self.waiting, None
            self._update(connected=False, last_error=error or self._status.last_error)
            self._shutter.end(_ENDED)  # asked for in the last moment
            if waiting is not None:
                self._finish(waiting, "the connection was lost before it could be sent", failed=1)
        try:
            remote.close()
        except Exception as problem:
            self._update(last_error=f"{type(problem).__name__} while closing: {problem}")

    def _serve(self, remote: Remote) -> None:
        try:
            self._take_turns(remote)
        finally:
            self._shutter.end(_ENDED)

    def _take_turns(self, remote: Remote) -> None:
        """Commands first, then the shutter's next step, then what keeps the connection alive."""
        last = time.monotonic()
        while True:
            with self._condition:
                if self._closing or self._again:
                    return
                due = min(last + remote.heartbeat_period, self._shutter.due) - time.monotonic()
                if self.waiting is None and due > 0:
                    self._condition.wait(timeout=min(due, _POLL))
                if self._closing or self._again:
                    return
                command, self.waiting = self.waiting, None
            if command is not None:
                self._send(remote, command)
                last = time.monotonic()
            elif time.monotonic() >= self._shutter.due:
                problem = self._shutter.step(remote)
                if problem:
                    self._update(failed=self._status.failed + 1, last_error=problem)
                last = time.monotonic()
            elif time.monotonic() - last >= remote.heartbeat_period:
                remote.heartbeat()
                last = time.monotonic()
            else:
                remote.poll()

    def _send(self, remote: Remote, command: Command) -> None:
        age = (self._clock_ns() - command.stamp_ns) / 1e9
        limit = self.timing.max_command_age
        if age > limit:
            return self._finish(command, f"{age:.2f} s old", dropped_stale=1)
        if age < -limit:
            return self._finish(command, f"its stamp lies {-age:.2f} s ahead of the clock", dropped_stale=1)
        try:
            written_at = remote.perform(command.action, max(0.0, limit - max(0.0, age)))
        except Refused as refusal:
            self._finish(command, str(refusal), failed=1, last_error=str(refusal))
        except Exception as problem:
            self._finish(command, str(problem), failed=1)
            raise
        else:
            self._finish(command, "", sent=1, latency_s=written_at - command.received)

    def _finish(self, command: Command, outcome: str, **changes: float | str) -> None:
        """Marks a command as handled; counters in ``changes`` are added."""
        with self._condition:
            for counter in ("sent", "dropped_stale", "failed"):
                if counter in changes:
                    changes[counter] += getattr(self._status, counter)
            if command.id and command.arrival > self._handled:
                self._handled = command.arrival
                changes["last_command_id"] = command.id
            command.outcome = outcome
            self._update(**changes)
        command.done.set()

    def _update(self, **changes: object) -> None:
        with self._condition:
            self._status = replace(self._status, **changes)  # type: ignore[arg-type]
            self._on_change(self._status)
