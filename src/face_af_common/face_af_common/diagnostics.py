"""One node's health on ``/diagnostics``, once a second: rate, age of the newest stamp, drops, latency, last error."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy._rclpy_pybind11 import RCLError
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from .stamps import to_ns

OK, WARN, ERROR, STALE = (
    DiagnosticStatus.OK,
    DiagnosticStatus.WARN,
    DiagnosticStatus.ERROR,
    DiagnosticStatus.STALE,
)


class Health:
    """What a node reports about itself.

    ``tick`` once for each result; ``fault`` when something is wrong and ``recovered`` when it is not any
    more. ``extra`` returns further ``{key: value}`` to show. A change of level is logged once, not
    once a second.
    """

    def __init__(
        self,
        node: Node,
        hardware_id: str = "",
        extra: Callable[[], dict[str, object]] | None = None,
        period: float = 1.0,
    ) -> None:
        self._node = node
        self._extra = extra
        self.hardware_id = hardware_id
        self.level: bytes = STALE
        self.message = "starting"
        self.last_error = ""
        self.drops = 0
        self.refused = 0
        """Messages that made no sense and were not used."""
        self._refusal = ""
        self._times: deque[float] = deque(maxlen=120)
        self._latencies: deque[float] = deque(maxlen=120)
        self._newest_ns = 0
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # wall time: a node whose simulated clock stands still must still report
        self._timer = node.create_timer(period, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def tick(self, stamp_ns: int = 0, latency_s: float | None = None) -> None:
        """One result is out. ``stamp_ns``: its frame's stamp; ``latency_s``: from that stamp to now."""
        self._times.append(time.monotonic())
        self._newest_ns = max(self._newest_ns, stamp_ns) if stamp_ns - self._newest_ns > -1e9 else stamp_ns
        if latency_s is not None:
            self._latencies.append(latency_s)
        if self.level == STALE:
            self.recovered()

    def fault(self, message: str, level: bytes = ERROR) -> None:
        """Something is wrong until :meth:`recovered`; says so at once, and on the log when it is new."""
        if (level, message) != (self.level, self.message):
            log = self._node.get_logger()
            # two lines, because rclpy refuses another severity from the same place in the code
            if level == ERROR:
                log.error(message)
            else:
                log.warning(message)
        self.level, self.message, self.last_error = level, message, message
        self.publish()

    def refuse(self, reason: str) -> None:
        """A message was not used; told on the log the first time, then counted."""
        if not self.refused:
            self._node.get_logger().warning(f"a message is not used: {reason}; more of them are only counted")
        self.refused += 1
        self._refusal = reason

    def recovered(self, message: str = "working") -> None:
        if self.level in (WARN, ERROR):
            self._node.get_logger().info(f"recovered: {message}")
        self.level, self.message = OK, message

    @property
    def rate_hz(self) -> float:
        """Results a second over the last 120, counted up to now (so it falls when they stop)."""
        now = time.monotonic()
        # a copy, which is made at once: other threads tick
        recent = [t for t in self._times.copy() if now - t < 5.0]
        return len(recent) / max(now - recent[0], 1e-3) if len(recent) > 1 else 0.0

    def publish(self) -> None:
        values: dict[str, object] = {
            "rate_hz": f"{self.rate_hz:.1f}",
            "drops": self.drops,
            "last_error": self.last_error,
        }
        if self.refused:
            values["refused"] = f"{self.refused}, the last: {self._refusal}"
        if self._times:
            values["since_result_s"] = f"{time.monotonic() - self._times[-1]:.3f}"
        if self._newest_ns:
            now = to_ns(self._node.get_clock().now().to_msg())
            values["newest_stamp_age_s"] = f"{(now - self._newest_ns) / 1e9:.3f}"
        if self._latencies:
            ordered = sorted(self._latencies.copy())
            values["latency_p50_ms"] = f"{ordered[len(ordered) // 2] * 1e3:.1f}"
            values["latency_p95_ms"] = f"{ordered[int(len(ordered) * 0.95)] * 1e3:.1f}"
        if self._extra is not None:
            values.update(self._extra())
        status = DiagnosticStatus(
            level=self.level,
            name=self._node.get_fully_qualified_name().lstrip("/"),
            message=self.message,
            hardware_id=self.hardware_id,
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        try:
            self._publisher.publish(array)
        except RCLError:
            if self._node.context.ok():  # else Ctrl-C was quicker than a thread of the node
                raise
