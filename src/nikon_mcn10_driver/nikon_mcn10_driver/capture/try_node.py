"""The running nodes as a guided session needs them: boxes by topic, presses by service."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import Trigger

from face_af_common.qos import RESULT, STATUS
from face_af_common.received import subscribe
from face_af_common.ros_context import open_context, shut_down_context
from face_af_common.stamps import to_ns
from face_af_common.types import AfBox, AfState, Box
from face_af_msgs.msg import AfOverlay, CameraStatus
from face_af_msgs.srv import Press

from .try_profile import Eyes, Stopped

_SERVICE_TIMEOUT = 5.0


class TryNode(Node, Eyes):
    """Subscribes ``af_overlay`` and ``camera_status``, calls ``press``. Spun by whoever waits."""

    def __init__(self) -> None:
        super().__init__("try_profile", namespace="/face_af")
        self._readings: deque[tuple[float, tuple[AfBox, ...]]] = deque(maxlen=100)
        self._status: CameraStatus | None = None
        subscribe(self, AfOverlay, "af_overlay", self._on_overlay, RESULT)
        subscribe(self, CameraStatus, "camera_status", self._on_status, STATUS)
        self._press = self.create_client(Press, "press")
        self._reconnect = self.create_client(Trigger, "reconnect")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)

    def close(self) -> None:
        self._executor.shutdown()
        self.destroy_node()

    def _on_overlay(self, message: AfOverlay) -> None:
        boxes = tuple(
            AfBox(AfState(box.state), Box(box.box.x, box.box.y, box.box.width, box.box.height), box.confidence)
            for box in message.boxes
        )
        self._readings.append((to_ns(message.header.stamp) / 1e9, boxes))

    def _on_status(self, message: CameraStatus) -> None:
        self._status = message

    def now(self) -> float:
        return float(self.get_clock().now().nanoseconds) / 1e9

    def look(self, seconds: float) -> tuple[float, tuple[AfBox, ...]] | None:
        end = time.monotonic() + seconds
        while not self._readings and time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.05)
        return self._readings.popleft() if self._readings else None

    def press(self, button: str) -> str:
        self._readings.clear()
        if self._status is not None and not self._status.connected:
            return self._status.last_error or "the driver is not connected to a camera"
        request: Any = Press.Request(button=button)
        future = self._press.call_async(request)
        self._executor.spin_until_future_complete(future, timeout_sec=_SERVICE_TIMEOUT)
        if not future.done():
            return "the press service does not answer"
        answer = future.result()
        return "" if answer.success else str(answer.message)

    def reload(self) -> None:
        if self._reconnect.wait_for_service(_SERVICE_TIMEOUT):
            future = self._reconnect.call_async(Trigger.Request())
            self._executor.spin_until_future_complete(future, timeout_sec=_SERVICE_TIMEOUT)

    def wait_ready(self, seconds: float = 10.0) -> None:
        """Until driver and overlay are heard; :class:`Stopped` with what is missing."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.1)
            connected = self._status is not None and self._status.connected
            if connected and self._readings and self._press.service_is_ready():
                if self._status is not None and self.count_publishers("command"):
                    self.get_logger().warning("steering is running; pause it, or its presses will be taken for ours")
                return
        status = self._status
        if status is None:
            raise Stopped("the driver is not heard; start it with this profile first")
        if not status.connected:
            raise Stopped(f"the driver is not connected: {status.last_error}")
        raise Stopped("no af_overlay is heard; start capture and overlay first")


@contextmanager
def open_eyes() -> Iterator[Eyes]:
    """A node in a context of its own."""
    open_context()
    node = TryNode()
    try:
        node.wait_ready()
        yield node
    finally:
        node.close()
        shut_down_context()
