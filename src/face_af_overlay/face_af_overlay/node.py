"""The overlay node: ``image_raw`` in, ``af_overlay`` out, ``debug/overlay`` while it is watched."""

from __future__ import annotations

import time

from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image

from face_af_common.answers import Answers
from face_af_common.conversions import af_boxes_to_msg
from face_af_common.diagnostics import WARN, Health
from face_af_common.frames import Frame, FrameSubscription
from face_af_common.images import BGR, ImageError, from_bgr
from face_af_common.live_parameters import LiveParameters
from face_af_common.qos import IMAGE
from face_af_common.types import AfState
from face_af_msgs.msg import AfBox, AfOverlay
from face_af_msgs.srv import CalibrateOverlay

from .corner_style import CornerStyle
from .debug_picture import debug_picture
from .detector import AfBoxDetector, PictureError
from .follow import BoxTracker
from .params import OverlayNodeParams
from .tap_calibration import TapCalibration, TapError


class OverlayNode(Node):
    """Reads the camera's AF boxes from every frame."""

    def __init__(self) -> None:
        super().__init__("overlay")
        self._params = LiveParameters(self, OverlayNodeParams)
        self._detector = AfBoxDetector()
        self._tracker = BoxTracker()
        self._style = CornerStyle()
        self._newest: BGR | None = None
        self._taps = TapCalibration()
        self._health = Health(self, extra=self._figures)
        self._answers = Answers(self, AfOverlay, "af_overlay")
        self._debug = self.create_publisher(Image, "debug/overlay", IMAGE)
        self._frames = FrameSubscription(self, "image_raw", self._on_frame, self._on_error)
        self.create_service(CalibrateOverlay, "calibrate_overlay", self._on_calibrate)

    @staticmethod
    def prepare() -> None:
        AfBoxDetector().warm_up()

    def _on_frame(self, frame: Frame) -> None:
        stamp_ns = frame.stamp_ns
        if self._answers.repeated(stamp_ns):
            return
        started = time.monotonic()
        params = self._params.value
        try:
            self._detector.params = params
            watched = self._debug.get_subscription_count() > 0
            found = self._detector.inspect(frame.bgr, explain=watched, rounded=self._style.search_rounded())
        except PictureError as error:
            self._on_error(error)
            return
        self._style.learn(found.outlines, found.scale)
        self._newest = frame.bgr
        boxes = self._tracker.update(found.boxes, stamp_ns / 1e9, params.follow)
        overlay = AfOverlay(header=frame.header, width=frame.bgr.shape[1], height=frame.bgr.shape[0])
        overlay.boxes = af_boxes_to_msg(boxes)
        overlay.processing_ms = (time.monotonic() - started) * 1e3
        self._answers.publish(overlay)
        self._health.recovered()
        self._health.tick(stamp_ns, (self.get_clock().now().nanoseconds - stamp_ns) / 1e9)
        if watched:
            self._debug.publish(from_bgr(debug_picture(frame.bgr, boxes, found.rejected), frame.header))

    def _on_error(self, error: ImageError | PictureError) -> None:
        self._health.fault(str(error), WARN)

    def _on_calibrate(
        self, request: CalibrateOverlay.Request, response: CalibrateOverlay.Response
    ) -> CalibrateOverlay.Response:
        try:
            if self._newest is None:
                raise TapError("no frame has come yet")
            if request.state not in (AfBox.DETECTED, AfBox.TRACKED, AfBox.ACTIVE_FOCUS):
                raise TapError(f"there is no state {request.state} to learn")
            state = AfState(request.state)
            changes = self._taps.tap(self._newest, request.x, request.y, state, self._params.value)
        except (TapError, PictureError) as error:
            response.message = str(error)
            return response
        result = self.set_parameters_atomically([Parameter(name, value=value) for name, value in changes.items()])
        response.success, response.message = result.successful, result.reason
        if result.successful:
            learned = ", ".join(f"{name} {value:g}" for name, value in changes.items())
            response.message = f"learned: {learned}" if learned else "this box was read rightly already"
        return response

    def _figures(self) -> dict[str, object]:
        newest: AfOverlay | None = self._answers.newest
        if newest is None:
            return {}
        return {"boxes": len(newest.boxes), "processing_ms": f"{newest.processing_ms:.1f}"}
