"""The node ``debug_view``: one annotated picture for rqt_image_view, drawn only while it is watched.

Subscribes ``image_raw``, ``faces``, ``af_overlay``, ``state`` (while watched); publishes ``debug/image`` and
``debug/image/compressed``. Without a viewer it receives nothing and costs nothing.
"""

from __future__ import annotations

import time
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

from face_af_common import qos
from face_af_common.conversions import af_boxes_from_msg, faces_from_msg
from face_af_common.diagnostics import OK, Health
from face_af_common.frames import Frame, FrameSubscription
from face_af_common.images import BGR, ImageError, from_bgr, to_jpeg
from face_af_common.live_parameters import LiveParameters
from face_af_common.received import subscribe
from face_af_common.stamps import to_ns
from face_af_common.types import SteeringStatus
from face_af_msgs.msg import AfOverlay, FaceArray, SteeringState
from face_af_view.annotate import Caption, annotated

from .debug_joiner import DebugJoiner, Joined
from .params import DebugViewParams

# Reliable, so that viewers asking for either reliability get it; depth 1, so that a slow one skips.
_PICTURE_QOS = QoSProfile(depth=1, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)


class DebugViewNode(Node):
    def __init__(self) -> None:
        super().__init__("debug_view")
        self._params = LiveParameters(self, DebugViewParams)
        self._joiner = DebugJoiner()
        self._inputs: list[Any] = []
        self._frames: FrameSubscription | None = None
        self._last_drawn = -1e9
        self._raw = self.create_publisher(Image, "debug/image", _PICTURE_QOS)
        self._compressed = self.create_publisher(CompressedImage, "debug/image/compressed", _PICTURE_QOS)
        self._health = Health(self, extra=lambda: {"watched": bool(self._inputs)})
        self._health.level, self._health.message = OK, "nobody looks"
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._watch_timer = self.create_timer(0.25, self._watch, clock=steady)
        self._overdue_timer = self.create_timer(0.05, self._draw_due, clock=steady)
        self._overdue_timer.cancel()

    def _watch(self) -> None:
        """Starts and stops receiving with the first and the last viewer (Humble's rclpy has no event for that)."""
        watched = self._raw.get_subscription_count() + self._compressed.get_subscription_count() > 0
        if watched and not self._inputs:
            self._inputs = [
                subscribe(self, FaceArray, "faces", lambda m: self._on_result("faces", m), qos.RESULT, self._health),
                subscribe(
                    self, AfOverlay, "af_overlay", lambda m: self._on_result("boxes", m), qos.RESULT, self._health
                ),
                subscribe(
                    self, SteeringState, "state", lambda m: self._on_result("state", m), qos.RESULT, self._health
                ),
            ]
            self._frames = FrameSubscription(self, "image_raw", self._on_frame, self._on_error, in_step=False)
            self._overdue_timer.reset()
            self._health.recovered("drawing")
        elif not watched and self._inputs:
            self._overdue_timer.cancel()
            for subscription in self._inputs:
                self.destroy_subscription(subscription)
            self._inputs = []
            if self._frames is not None:
                self._frames.close()
                self._frames = None
            self._joiner.clear()
            self._health.recovered("nobody looks")

    def _on_frame(self, frame: Frame) -> None:
        self._joiner.add_picture(frame.stamp_ns, frame, time.monotonic())
        self._draw_due()

    def _on_error(self, error: ImageError) -> None:
        self._health.fault(f"image_raw cannot be shown: {error}")

    def _on_result(self, stream: str, message: Any) -> None:
        self._joiner.add_result(stream, to_ns(message.header.stamp), message, time.monotonic())
        self._draw_due()

    def _draw_due(self) -> None:
        now = time.monotonic()
        params = self._params.value
        # a little early rather than a frame late: camera and limit are often the same rate
        if now - self._last_drawn < 0.8 / params.max_rate:
            return
        entry = self._joiner.take(now, params.patience)
        if entry is None:
            return
        self._last_drawn = now
        drawn = self._draw(entry, now, params.height)
        header = entry.picture.header
        if self._raw.get_subscription_count():
            self._raw.publish(from_bgr(drawn, header))
        if self._compressed.get_subscription_count():
            self._compressed.publish(to_jpeg(drawn, header, params.jpeg_quality))
        self._health.recovered("drawing")
        self._health.tick(entry.stamp_ns)

    def _draw(self, entry: Joined, now: float, height: int) -> BGR:
        faces, boxes, state = (entry.results.get(name) for name in ("faces", "boxes", "state"))
        missing = [
            name for name, value in (("faces", faces), ("AF boxes", boxes), ("steering", state)) if value is None
        ]
        caption = Caption(
            state=None if state is None else SteeringStatus(state.state),
            reason=state.reason if state is not None else "no " + ", no ".join(missing),
            target=state.target if state is not None else faces.target if faces is not None else "",
            speaking=state.speaking if state is not None else "",
            presses=None if state is None else state.presses,
            fps=self._joiner.fps(now),
            latency_ms=None if state is None else state.latency_ms,
            note="WATCHING" if state is None else "",
        )
        return annotated(
            entry.picture.bgr,
            [] if faces is None else faces_from_msg(faces),
            [] if boxes is None else af_boxes_from_msg(boxes),
            caption,
            height,
        )
