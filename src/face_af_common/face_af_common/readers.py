"""The source's side of flow control in ROS: what perception and overlay publish tells how far they are."""

from __future__ import annotations

from rclpy.node import Node

from face_af_msgs.msg import AfOverlay, FaceArray

from .flow import FlowControl
from .qos import RESULT
from .stamps import to_ns


def listen_to_readers(node: Node, flow: FlowControl) -> None:
    """Tells ``flow`` of every picture that has been answered on ``faces`` and ``af_overlay``."""
    for kind, topic in ((FaceArray, "faces"), (AfOverlay, "af_overlay")):
        node.create_subscription(kind, topic, lambda m, t=topic: flow.answered(t, to_ns(m.header.stamp)), RESULT)
