"""Serialized messages taken from subscriptions many at a time, by a thread of its own.

An executor wakes up for every message and asks every entity of the node each time; for a recorder of ten topics at
thirty messages a second that costs more than receiving the images. Here one thread looks at all topics twenty times
a second and takes what has gathered in their queues.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSProfile

PERIOD_S = 0.05
_AT_ONCE = 300
"""After so many messages of one topic the others have their turn."""

Sink = Callable[[bytes, int], None]
"""Takes a serialized message and when it was received (system time in nanoseconds, 0 = not known)."""


class _NobodysGroup(CallbackGroup):
    """Keeps its subscriptions away from executors."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return False

    def ending_execution(self, entity: Any) -> None:
        return None


class Intake:
    """Subscriptions of ``node`` whose messages go, serialized, to their sinks."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._group = _NobodysGroup()
        self._subscriptions: list[tuple[Any, Sink]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder-intake", daemon=True)

    def add(self, kind: Any, topic: str, profile: QoSProfile, sink: Sink) -> None:
        """``profile``: its depth must hold what arrives within :data:`PERIOD_S`."""
        subscription = self._node.create_subscription(
            kind, topic, lambda _: None, profile, callback_group=self._group, raw=True
        )
        self._subscriptions.append((subscription, sink))

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Takes what waits and ends; a second call does nothing."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            if not self._turn():
                self._end.wait(PERIOD_S)
        self._turn()

    def _turn(self) -> bool:
        """Takes what is there; returns whether there may be more."""
        more = False
        for subscription, sink in list(self._subscriptions):
            for _ in range(_AT_ONCE):
                message = self._take(subscription)
                if message is None:
                    break
                sink(*message)
            else:
                more = True
        return more

    def _take(self, subscription: Any) -> tuple[bytes, int] | None:
        try:
            with subscription.handle:
                taken = subscription.handle.take_message(subscription.msg_type, True)
        except Exception:
            if rclpy.ok(context=self._node.context):
                raise
            return None  # the graph is being shut down
        if taken is None:
            return None
        data, info = taken
        return data, int(info.get("received_timestamp", 0))
