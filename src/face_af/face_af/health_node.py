"""The node ``health``: all of ``/diagnostics`` as one line, on the terminal and on the topic ``health``."""

from __future__ import annotations

import sys
import time

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import String

from face_af_common import qos

from .health_summary import NodeHealth, forget, health_line, note


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
        for status in message.status:
            level = int.from_bytes(status.level, "little") if isinstance(status.level, bytes) else status.level
            values = {item.key: item.value for item in status.values}
            note(self._nodes, status.name, NodeHealth(level, status.message, time.monotonic(), values))

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._started < 1.5:
            return  # the first round of reports
        forget(self._nodes, now)
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
