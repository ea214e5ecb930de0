"""Publishes what a replay has computed by itself, as the nodes would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Header

from face_af_common import qos
from face_af_common.conversions import af_boxes_to_msg, face_to_msg
from face_af_common.stamps import from_ns
from face_af_msgs.msg import AfOverlay, FaceArray, SteeringCommand, SteeringState

from .played_messages import OWNED
from .replay.frames import Frame


class ResultPublishers:
    """The results of ``stages``, published on ``node`` as far as somebody has subscribed."""

    def __init__(self, node: Node, stages: Sequence[str]) -> None:
        kinds = {"faces": FaceArray, "af_overlay": AfOverlay, "state": SteeringState, "command": SteeringCommand}
        owned = [name for stage in stages for name in OWNED[stage]]
        self._publishers: dict[str, Any] = {
            name: node.create_publisher(kinds[name], name, qos.RESULT) for name in owned
        }

    def publish(self, frame: Frame) -> None:
        header = Header(stamp=from_ns(frame.stamp_ns), frame_id="camera")
        width, height = frame.size
        heard = {name: p for name, p in self._publishers.items() if p.get_subscription_count()}
        if "faces" in heard and frame.faces is not None:
            faces = [face_to_msg(face) for face in frame.faces]
            heard["faces"].publish(
                FaceArray(header=header, width=width, height=height, faces=faces, target=frame.target)
            )
        if "af_overlay" in heard and frame.boxes is not None:
            boxes = af_boxes_to_msg(frame.boxes)
            heard["af_overlay"].publish(AfOverlay(header=header, width=width, height=height, boxes=boxes))
        for action in frame.actions if "command" in heard else ():
            heard["command"].publish(
                SteeringCommand(
                    header=header, action=int(action.kind), x=float(action.x), y=float(action.y), reason=action.reason
                )
            )
        if "state" in heard and frame.status is not None:
            heard["state"].publish(
                SteeringState(
                    header=header,
                    state=int(frame.status),
                    target=frame.steering_target or "",
                    reason=frame.reason,
                    speaking=frame.speaking,
                )
            )
