"""The capture node: publishes the newest frame of its source as ``image_raw`` and ``image_raw/compressed``."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import Header

from face_af_common.conversions import orientation_to_msg
from face_af_common.diagnostics import ERROR, WARN, Health
from face_af_common.encodings import BGR
from face_af_common.frames import FramePublisher
from face_af_common.images import blank
from face_af_common.live_parameters import LiveParameters
from face_af_common.orientation import Orientation
from face_af_common.qos import RESULT, STATUS
from face_af_common.received import subscribe
from face_af_common.stamps import from_ns
from face_af_msgs.msg import AfOverlay, FaceArray, FrameOrientation

from .grabber import Grabber, NewestFrame, Report, State
from .params import CaptureNodeParams
from .sources import open_source
from .sources.base import Frame

_NOT_OF_THE_SOURCE = ("frame_id", "jpeg_quality", "rotate", "flip", "wait")
"""Parameters whose change leaves the source open."""
_ANSWERS = {"perception": (FaceArray, "faces"), "overlay": (AfOverlay, "af_overlay")}
"""By whom a frame is answered, and how."""


class CaptureNode(Node):
    """Two threads beside the executor's: one reads the source, one publishes what is newest."""

    def __init__(self) -> None:
        super().__init__("capture")
        self._live = LiveParameters(self, CaptureNodeParams)
        self._publisher = FramePublisher(self, quality=self._live.value.jpeg_quality)
        self._orientations = self.create_publisher(FrameOrientation, "frame_orientation", STATUS)
        self._told_orientation: Orientation | None = None
        self._health = Health(self, extra=self._details)
        self._source_name = ""
        self._newest = NewestFrame()
        self._awaited = {
            who: subscribe(self, kind, topic, self._answer_of(who), RESULT) for who, (kind, topic) in _ANSWERS.items()
        }
        """Subscriptions to those who have not answered a frame yet."""
        self.grabber = self._new_grabber(self._live.value)
        self._closing = threading.Event()
        self._publishing = threading.Thread(target=self._publish_newest, name="publisher", daemon=True)
        self._publishing.start()
        self.grabber.start()
        self._live.on_change(self._on_change)
        self.create_timer(0.2, lambda: self.grabber.check(), clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        self._closing.set()
        self.grabber.stop()
        self._publishing.join(2.0)

    def _new_grabber(self, params: CaptureNodeParams, old: Grabber | None = None) -> Grabber:
        return Grabber(
            params, self._newest, self._on_report, self.get_logger().warning, open_source,
            missing=self._missing, successor_of=old,
        )  # fmt: skip

    def _missing(self) -> str:
        """Who is not ready for the first frame of a file, in words."""
        return " and ".join(self._awaited) if self._live.value.wait else ""

    def _answer_of(self, who: str) -> Callable[[Any], None]:
        return lambda _: self._on_answer(who)

    def _on_answer(self, who: str) -> None:
        if (subscription := self._awaited.pop(who, None)) is not None:
            self.destroy_subscription(subscription)

    def _on_change(self, params: CaptureNodeParams) -> None:
        self._publisher.quality = params.jpeg_quality
        used = self.grabber.params
        if dataclasses.replace(params, **{name: getattr(used, name) for name in _NOT_OF_THE_SOURCE}) == used:
            return
        self.grabber.stop(0.0)  # here in the executor nobody waits for a driver
        self.grabber = self._new_grabber(params, self.grabber)
        self.grabber.start()

    def _on_report(self, report: Report) -> None:
        if report.state is State.LOST:
            self._health.fault(report.text, ERROR)
            return
        if report.state is State.WAITING:
            self.get_logger().info(report.text)
        if report.state is State.STREAMING:
            self._source_name = report.text
            self._health.hardware_id = self._live.value.device
            self.get_logger().info(f"capturing {report.text}")
        if report.mismatches:
            self._health.fault("; ".join(report.mismatches), WARN)
        else:
            self._health.recovered(report.text)
            if report.state is State.ENDED:
                self.get_logger().info(report.text)

    def _publish_newest(self) -> None:
        while not self._closing.is_set():
            frame = self._newest.take(timeout=0.2)
            if frame is not None:
                self._publish(frame)

    def _publish(self, frame: Frame) -> None:
        age = time.monotonic() - frame.acquired
        stamp_ns = self.get_clock().now().nanoseconds - int(age * 1e9)
        header = Header(stamp=from_ns(stamp_ns), frame_id=self._live.value.frame_id)
        orientation = self._live.value.orientation
        if orientation != self._told_orientation:
            self._told_orientation = orientation
            self._orientations.publish(orientation_to_msg(orientation, header))
        self._publisher.publish(upright(frame.image, orientation), header)
        self._newest.give_back(frame)
        self._health.tick(stamp_ns, time.monotonic() - frame.acquired)

    def _details(self) -> dict[str, object]:
        return {
            "source": self._source_name or self._live.value.device,
            "overwritten": self._newest.overwritten,
            "undecodable": self.grabber.undecodable,
        }


def upright(image: BGR, orientation: Orientation) -> BGR:
    """The image as it is published: turning it is the copy that the message needs anyway."""
    if orientation.is_identity:
        return image
    height, width = image.shape[:2]
    return orientation.upright(image, blank(*orientation.size(width, height)))
