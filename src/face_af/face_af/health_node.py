"""The node ``health``: all of ``/diagnostics`` as one line, on the terminal and on the topic ``health``."""

from __future__ import annotations

import sys
import time

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import String

from face_af_common import qos

from .health_summary import NodeHealth, health_line

_FORGET_AFTER_S = 60.0


class HealthNode(Node):
    def __init__(self) -> None:
        super().__init__("health")
        self._nodes: dict[str, NodeHealth] = {}
        self._started = time.monotonic()
        self._line = ""
        self._publisher = self.create_publisher(String, "health", qos.STATUS)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 50)
        self.create_timer(1.0, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        now = time.monotonic()
        for status in message.status:
            level = min(int.from_bytes(status.level, "little") if isinstance(status.level, bytes) else status.level, 3)
            values = {item.key: item.value for item in status.values}
            self._nodes[status.name] = NodeHealth(level, status.message, now, values)

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._started < 1.5:
            return  # the first round of reports
        for name in [name for name, node in self._nodes.items() if now - node.heard > _FORGET_AFTER_S]:
            del self._nodes[name]
        line = health_line(self._nodes, now)
        self._publisher.publish(String(data=line))
        if sys.stdout.isatty():
            print(f"\r\033[K{line}", end="", flush=True)
        elif line != self._line:
            print(line, flush=True)
        self._line = line

    def close(self) -> None:
        if sys.stdout.isatty():
            print()
