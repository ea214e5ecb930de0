"""A node makes sure that it hears the others of its graph (:mod:`.ears`), or ends so that it is started again."""

from __future__ import annotations

import time

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from .diagnostics import HEARS, SINCE_RESULT_S, Health, full_name, status_name
from .ears import Ears

_PERIOD_S = 0.2
_SENDS_S = 1.0
"""Who had a result within this time has results."""


class DeafError(Exception):
    """The node does not receive what it should and must be started again."""


class Hearing:
    """:class:`DeafError` comes out of ``node``'s spinning. ``inputs``: its topics with frames, see :meth:`got`."""

    def __init__(self, node: Node, health: Health, *inputs: str) -> None:
        self._node = node
        self._me = status_name(node)
        self._ears = Ears(self._me, inputs, time.monotonic())
        health.hears = lambda: self._ears.hears(time.monotonic())
        profile = QoSProfile(depth=20, reliability=ReliabilityPolicy.BEST_EFFORT)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, profile)
        node.create_timer(_PERIOD_S, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def got(self, topic: str) -> None:
        """A message of one of the ``inputs`` came."""
        self._ears.got(topic, time.monotonic())

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        now = time.monotonic()
        for status in message.status:
            said = {value.key: value.value for value in status.values}
            try:
                sends = float(said.get(SINCE_RESULT_S, "inf")) < _SENDS_S
            except ValueError:  # a stranger's
                sends = False
            self._ears.heard(now, status.name, sends, said.get(HEARS, "").split())

    def _look(self) -> None:
        missed = self._ears.missed(time.monotonic(), lambda: self._publishers("/diagnostics"), self._senders)
        if missed:
            raise DeafError(f"{missed}; start it again")

    def _senders(self, topic: str) -> set[str]:
        return self._publishers(self._node.resolve_topic_name(topic))

    def _publishers(self, topic: str) -> set[str]:
        found = self._node.get_publishers_info_by_topic(topic)
        return {full_name(info.node_namespace, info.node_name) for info in found} - {self._me}
