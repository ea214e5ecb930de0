"""What waits to be sent to a broker: the last state of each topic, and events in order; bounded, nothing twice.

A state is sent until the broker has confirmed it, and once more to a broker that has forgotten everything. An event is
handed to the connection once: when that breaks before the broker has confirmed it, nobody can know whether it arrived,
and it is counted as unconfirmed rather than sent a second time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

EVENTS = 1000
"""Events that wait for a broker; the oldest gives way to the newest, and is counted."""
STATES = 1000
"""Topics with a state."""
IN_FLIGHT = 16
"""Messages that may be on their way without confirmation."""


@dataclass(frozen=True)
class Parcel:
    """One message. ``version``: of a state; 0: an event."""

    topic: str
    payload: bytes
    retain: bool
    version: int = 0


class Outbox:
    """Shared by whoever has something to say and the one thread that sends."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._states: dict[str, Parcel] = {}
        self._confirmed: dict[str, int] = {}
        self._events: deque[Parcel] = deque()
        self._in_flight: dict[int, Parcel] = {}
        self._early: set[int] = set()  # confirmed before their sender has told their number
        self._versions = 0
        self._taken = 0  # parcels between `next` and `flying` or `back`
        self.sent = self.confirmed = self.dropped = self.unconfirmed = 0

    def state(self, topic: str, payload: bytes) -> None:
        """The topic's new state, retained by the broker; the same again is not sent again. Never waits."""
        with self._changed:
            old = self._states.get(topic)
            if old is not None and old.payload == payload:
                return
            if old is None and len(self._states) >= STATES:
                self.dropped += 1
                return
            self._versions += 1
            self._states[topic] = Parcel(topic, payload, True, self._versions)
            self._changed.notify_all()

    def event(self, topic: str, payload: bytes) -> None:
        """Something that happened. Never waits."""
        with self._changed:
            if len(self._events) >= EVENTS:
                self._events.popleft()
                self.dropped += 1
            self._events.append(Parcel(topic, payload, False))
            self._changed.notify_all()

    # -- the sender's side -------------------------------------------------------------------------------------------

    def connected(self, remembers: bool) -> None:
        """A connection begins. ``remembers``: the broker knows the session of before, and what it retained."""
        with self._changed:
            self._in_flight.clear()
            self._early.clear()
            if not remembers:
                self._confirmed.clear()
            self._changed.notify_all()

    def lost(self) -> None:
        """The connection is gone, with what was on its way."""
        with self._changed:
            self.unconfirmed += sum(not parcel.version for parcel in self._in_flight.values())
            self._in_flight.clear()
            self._changed.notify_all()

    def next(self, wait_s: float) -> Parcel | None:
        """What is to be sent now, waiting up to ``wait_s`` for it; an event is out of the outbox with that."""
        deadline = time.monotonic() + wait_s
        with self._changed:
            while True:
                if len(self._in_flight) < IN_FLIGHT and (parcel := self._due()) is not None:
                    self._taken += 1
                    return parcel
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return None

    def _due(self) -> Parcel | None:
        flying = {p.topic: p.version for p in self._in_flight.values() if p.version}
        for topic, parcel in self._states.items():
            # one version of a topic at a time: an older one must not overtake
            if self._confirmed.get(topic, 0) < parcel.version and topic not in flying:
                return parcel
        return self._events.popleft() if self._events else None

    def flying(self, number: int, parcel: Parcel) -> None:
        """The parcel went out under this number."""
        with self._changed:
            self._taken -= 1
            self._in_flight[number] = parcel
            self.sent += 1
            if number in self._early:
                self._early.remove(number)
                self._confirm(number)

    def back(self, parcel: Parcel) -> None:
        """The parcel was not sent after all."""
        with self._changed:
            self._taken -= 1
            if not parcel.version:
                self._events.appendleft(parcel)

    def arrived(self, number: int) -> None:
        """The broker has confirmed it."""
        with self._changed:
            if number in self._in_flight:
                self._confirm(number)
            else:
                self._early.add(number)

    def _confirm(self, number: int) -> None:
        parcel = self._in_flight.pop(number)
        self.confirmed += 1
        if parcel.version:
            self._confirmed[parcel.topic] = parcel.version
        self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    @property
    def idle(self) -> bool:
        """Whether everything has been confirmed."""
        with self._changed:
            waiting = any(self._confirmed.get(t, 0) < p.version for t, p in self._states.items())
            return not (waiting or self._events or self._in_flight or self._taken)
