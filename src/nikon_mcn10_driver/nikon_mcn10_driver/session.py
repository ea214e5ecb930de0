"""A PTP session on a transport: opening with its known failures, transactions, busy cameras, events, closing."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Protocol

from .ptp import DeviceInfo, Event, FormatError, OperationCode, ResponseCode, decode_events, decode_events_ex, name_of
from .ptp.codes import BUSY, LAST_TRANSACTION
from .transport import DeviceGone, Interrupted, Reply, Transport, TransportError

TIMEOUT = 3.0
"""Seconds for one transaction."""

BUSY_POLL = 0.015
"""Seconds between two tries while the camera is busy."""

DUPLICATE_WINDOW = 2.0
"""Seconds within which the same event from the other source is the same event."""

_REMEMBERED = 1000
_REMEMBERED_BYTES = 1 << 16

_SESSION_IDS = (1, 0x4641, 0x46410001)


class PtpError(Exception):
    """The camera answered, and said no; the link is fine."""

    def __init__(self, operation: int, code: int) -> None:
        super().__init__(f"{name_of(operation)}: the camera answers {name_of(code)}")
        self.operation = operation
        self.code = code


class Clock(Protocol):
    """Another time than the real one, for playing a profile without waiting."""

    def now(self) -> float:
        """Seconds."""

    def sleep(self, seconds: float) -> None:
        """Lets that time pass."""


class EventMerger:
    """Events come from two places, the event channel and GetEvent; each is let through once.

    Two equal events from the same place are two events; one from each place within
    :data:`DUPLICATE_WINDOW` is one.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: dict[str, deque[tuple[float, Event]]] = {"channel": deque(maxlen=256), "polled": deque(maxlen=256)}

    def take(self, source: str, events: Iterable[Event]) -> list[Event]:
        """The events of ``source`` (``channel`` or ``polled``) that are new."""
        other = self._seen["polled" if source == "channel" else "channel"]
        now = self._now()
        while other and now - other[0][0] > DUPLICATE_WINDOW:
            other.popleft()
        unmatched = Counter(_key(event) for _, event in other)
        fresh = []
        for event in events:
            key = _key(event)
            if unmatched[key]:
                unmatched[key] -= 1
                other.remove(next(entry for entry in other if _key(entry[1]) == key))
                continue
            fresh.append(event)
            self._seen[source].append((now, event))
        return fresh


def _key(event: Event) -> tuple[int, int]:
    # GetEvent has room for one parameter, the event channel for three
    return event.code, event.params[0] if event.params else 0


class Session:
    """Transactions with one camera; everything happens in the caller's thread, and ends in bounded time."""

    def __init__(self, transport: Transport, session_id: int = 1, clock: Clock | None = None) -> None:
        self._transport = transport
        self._clock = clock
        self._ids = (session_id, *(other for other in _SESSION_IDS if other != session_id))
        self.replies: dict[object, Reply] = {}
        self._transaction = 0
        self._open = False
        self._merger = EventMerger()
        self._stop = threading.Event()
        self.info = DeviceInfo("", "", "", "")

    @property
    def written_at(self) -> float:
        """``time.monotonic()`` of the last byte of the newest operation."""
        return self._transport.written_at

    def open(self) -> DeviceInfo:
        """Connects and opens the session; :class:`TransportError` or :class:`PtpError` where that fails."""
        try:
            self._transport.connect()
            return self._begin()
        except Exception:
            self._transport.close()
            raise

    def _begin(self) -> DeviceInfo:
        try:
            self.info = self._device_info()
        except (DeviceGone, Interrupted):
            raise
        except TransportError:
            # what a killed program has left behind can show only now
            if not self._transport.reset():
                raise
            self.info = self._device_info()
        code = self._open_session(self._ids)
        if code == ResponseCode.INVALID_TRANSACTION_ID and self._transport.reset():
            code = self._open_session(self._ids[:1])
        if code not in (ResponseCode.OK, ResponseCode.SESSION_ALREADY_OPEN):
            raise PtpError(OperationCode.OPEN_SESSION, code)
        self._open = True
        return self.info

    def _device_info(self) -> DeviceInfo:
        reply = self._transport.transact(OperationCode.GET_DEVICE_INFO, 0, timeout=TIMEOUT)
        if reply.code != ResponseCode.OK:
            raise PtpError(OperationCode.GET_DEVICE_INFO, reply.code)
        self._remember(OperationCode.GET_DEVICE_INFO, (), reply)
        try:
            return DeviceInfo.decode(reply.data)
        except FormatError as error:
            raise TransportError(f"the camera's DeviceInfo is broken: {error}") from error

    def _open_session(self, ids: Iterable[int]) -> int:
        code = int(ResponseCode.GENERAL_ERROR)
        for session_id in ids:
            self._transaction = 0
            end = time.monotonic() + TIMEOUT
            while True:
                reply = self._transport.transact(OperationCode.OPEN_SESSION, 0, (session_id,), timeout=TIMEOUT)
                self._remember(OperationCode.OPEN_SESSION, (session_id,), reply)
                code = reply.code
                if code not in BUSY or time.monotonic() > end or self._stop.wait(BUSY_POLL):
                    break
            if code != ResponseCode.INVALID_TRANSACTION_ID:
                break
        return code

    def supports(self, operation: int) -> bool:
        return operation in self.info.operations

    def transact(self, operation: int, *params: int, data: bytes | None = None, timeout: float = TIMEOUT) -> Reply:
        """One transaction, whatever the camera answers."""
        self._transaction = self.next_transaction
        reply = self._transport.transact(operation, self._transaction, params, data, timeout)
        self._remember(operation, params, reply)
        return reply

    @property
    def next_transaction(self) -> int:
        """The id of the next operation."""
        return self._transaction + 1 if self._transaction < LAST_TRANSACTION else 1

    def _remember(self, operation: int, params: tuple[int, ...], reply: Reply) -> None:
        """Keeps the newest answer to each operation, which a remote profile may have to repeat to the camera."""
        if len(reply.data) <= _REMEMBERED_BYTES and (operation in self.replies or len(self.replies) < _REMEMBERED):
            self.replies[operation] = self.replies[operation, params] = reply

    def now(self) -> float:
        """The clock by which :meth:`sleep` waits."""
        return time.monotonic() if self._clock is None else self._clock.now()

    def run(
        self,
        operation: int,
        *params: int,
        data: bytes | None = None,
        timeout: float = TIMEOUT,
        busy_budget: float = 0.0,
    ) -> Reply:
        """One operation that must succeed; :class:`PtpError` otherwise.

        While the camera is busy the operation is repeated (a busy camera has not carried it out) for at most
        ``busy_budget`` seconds.
        """
        end = time.monotonic() + busy_budget
        while True:
            reply = self.transact(operation, *params, data=data, timeout=timeout)
            if reply.code == ResponseCode.OK:
                return reply
            if reply.code not in BUSY or time.monotonic() + BUSY_POLL > end or self._stop.wait(BUSY_POLL):
                raise PtpError(operation, reply.code)

    def wait_ready(self, budget: float, poll: float = BUSY_POLL) -> int:
        """Polls DeviceReady until the camera is not busy; its last response, still "busy" when time is up."""
        end = time.monotonic() + budget
        while True:
            code = self.transact(OperationCode.NIKON_DEVICE_READY).code
            if code not in BUSY or time.monotonic() + poll > end or self._stop.wait(poll):
                return code

    def channel_events(self) -> list[Event]:
        """New events of the event channel; does not wait."""
        return self._merger.take("channel", self._transport.events())

    def poll_events(self) -> list[Event]:
        """New events of both sources; asks the camera with GetEventEx or GetEvent where it has one of them."""
        fresh = self.channel_events()
        for operation, decode in (
            (OperationCode.NIKON_GET_EVENT_EX, decode_events_ex),
            (OperationCode.NIKON_GET_EVENT, decode_events),
        ):
            if self.supports(operation):
                reply = self.transact(operation)
                if reply.code != ResponseCode.OK:
                    break
                try:
                    fresh += self._merger.take("polled", decode(reply.data))
                except FormatError as error:
                    raise TransportError(f"the camera's event list is broken: {error}") from error
                break
        return fresh

    def sleep(self, seconds: float) -> None:
        """Waits, but not beyond :meth:`interrupt`."""
        if self._clock is None:
            self._stop.wait(seconds)
        else:
            self._clock.sleep(seconds)

    def interrupt(self) -> None:
        """From another thread: whatever waits ends soon."""
        self._stop.set()
        self._transport.interrupt()

    def close(self) -> None:
        """Closes the session where that is still possible, and the transport in any case."""
        try:
            if self._open and not self._stop.is_set():
                self.transact(OperationCode.CLOSE_SESSION, timeout=1.0)
        except TransportError:
            pass
        finally:
            self._open = False
            self._transport.close()
