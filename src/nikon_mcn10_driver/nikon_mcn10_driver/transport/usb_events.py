"""The events that a camera sends on its interrupt endpoint."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import Any

from ..ptp import Container, ContainerType, Event, FormatError
from .base import MAX_EVENTS, WAIT_SLICE, DeviceGone
from .usb_errors import is_stall, is_timeout, milliseconds

_MAX_WAITING = 256
"""Events that are kept until somebody takes them; older ones go."""


class UsbEvents:
    """Listens in a thread of its own, from the start until :meth:`close`. ``notices``: the interrupt endpoint."""

    def __init__(self, notices: Any) -> None:
        self._notices = notices
        self._events: deque[Event] = deque(maxlen=_MAX_WAITING)
        self._closing = threading.Event()
        self._lost = ""
        self._thread = threading.Thread(target=self._listen, name="usb_events", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        """Keeps one read pending on the interrupt endpoint."""
        while not self._closing.is_set():
            try:
                data = self._notices.read(64, milliseconds(WAIT_SLICE)).tobytes()
                if data:
                    event = Container.decode(data)
                    if event.type == ContainerType.EVENT:
                        self._events.append(Event(event.code, event.params))
            except FormatError:
                continue
            except Exception as error:
                if is_timeout(error):
                    continue
                if is_stall(error):
                    with contextlib.suppress(Exception):
                        self._notices.clear_halt()
                        continue
                self._lost = str(error)
                return

    def take(self) -> list[Event]:
        """What has come since the last call, at most :data:`MAX_EVENTS`; :class:`DeviceGone` once it is gone."""
        if self._lost:
            raise DeviceGone(f"the camera is gone ({self._lost})")
        # the listener goes on adding meanwhile
        return [self._events.popleft() for _ in range(min(len(self._events), MAX_EVENTS))]

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=2.0)
