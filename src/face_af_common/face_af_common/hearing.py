"""A node that stood still for a while makes sure that it still hears the others, or ends so that it is started again.

Fast DDS (3.2) takes a process that did not run for a second or two for dead and gives its shared-memory port up; when
the process goes on, both sides make a new one. Now and then (2 times in 12, with a killed process not long before) they
end up with different ones: the node goes on publishing and never receives anything again, without any error.
"""

from __future__ import annotations

import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from .diagnostics import status_name

_PERIOD_S = 0.2
_STILL_S = 0.8
"""A timer that comes so late: the process stood still. Fast DDS asks once a second whether a port is listened to."""
_TRIAL_S = 1.6
"""So long the others have to be heard; each says something once a second."""


class DeafError(Exception):
    """The node receives nothing any more and must be started again."""


class Hearing:
    """Watches the pace of ``node``'s executor; :class:`DeafError` comes out of its spinning."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._last = time.monotonic()
        self._still_s = 0.0
        self._trial_ends = 0.0
        self._subscription: Any = None
        node.create_timer(_PERIOD_S, lambda: self.look(time.monotonic()), clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def listening(self) -> bool:
        """Whether it waits for a sign of the others."""
        return self._subscription is not None

    def look(self, now: float) -> None:
        """To be called often. ``now``: seconds of a clock that goes on while the process stands still."""
        gap, self._last = now - self._last, now
        if gap > _STILL_S:
            self._still_s = gap
            self._trial_ends = now + _TRIAL_S
            if not self.listening:
                profile = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
                self._subscription = self._node.create_subscription(
                    DiagnosticArray, "/diagnostics", self._on_diagnostics, profile
                )
        elif self.listening and now > self._trial_ends:
            self._stop()
            if self._others():
                raise DeafError(
                    f"stood still for {self._still_s:.1f} s and hears nothing of the other nodes since; start it again"
                )

    def _others(self) -> bool:
        me = self._node.get_name(), self._node.get_namespace()
        found = self._node.get_publishers_info_by_topic("/diagnostics")
        return any((info.node_name, info.node_namespace) != me for info in found)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        me = status_name(self._node)
        if self.listening and any(status.name != me for status in message.status):
            self._stop()

    def _stop(self) -> None:
        self._node.destroy_subscription(self._subscription)
        self._subscription = None
