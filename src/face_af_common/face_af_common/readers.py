"""The source's side of flow control in ROS: what perception and overlay publish tells how far they are."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node

from face_af_msgs.msg import AfOverlay, FaceArray

from .flow import FlowControl
from .qos import RESULT
from .stamps import to_ns


def listen_to_readers(node: Node, flow: FlowControl, then: Callable[[], None] = lambda: None) -> None:
    """Tells ``flow`` of every picture that has been answered on ``faces`` and ``af_overlay``, and calls ``then``."""

    def listen(kind: type[FaceArray] | type[AfOverlay], topic: str) -> None:
        def answered(message: FaceArray | AfOverlay) -> None:
            flow.answered(topic, to_ns(message.header.stamp))
            then()

        node.create_subscription(kind, topic, answered, RESULT)

    listen(FaceArray, "faces")
    listen(AfOverlay, "af_overlay")
