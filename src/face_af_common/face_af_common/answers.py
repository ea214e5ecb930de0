"""What a node publishes for each frame, kept so that a frame that is shown again gets the same answer again."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node

from .qos import RESULT
from .stamps import to_ns


class Answers:
    """Publishes one message a frame on ``topic``. ``kind``: a message type with a header, which is the frame's.

    In lockstep the simulator shows a frame again to whoever has lost it, or its answer; the same happens nowhere else.
    """

    def __init__(self, node: Node, kind: type, topic: str) -> None:
        self._publisher = node.create_publisher(kind, topic, RESULT)
        self.newest: Any = None
        """The newest message; None before the first."""

    def publish(self, message: Any) -> None:
        self._publisher.publish(message)
        self.newest = message

    def repeated(self, stamp_ns: int) -> bool:
        """Whether the frame with that stamp was answered last; then its answer is sent again."""
        if self.newest is None or to_ns(self.newest.header.stamp) != stamp_ns:
            return False
        self._publisher.publish(self.newest)
        return True
