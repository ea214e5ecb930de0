"""The overlay node: ``image_raw`` in, ``af_overlay`` out, ``debug/overlay`` while somebody looks."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rclpy.node import Node
from sensor_msgs.msg import Image

from face_af_common.conversions import af_boxes_to_msg
from face_af_common.diagnostics import WARN, Health
from face_af_common.hearing import Hearing
from face_af_common.images import ImageError, from_bgr, to_bgr
from face_af_common.live_parameters import LiveParameters
from face_af_common.node_main import run_node
from face_af_common.qos import IMAGE, RESULT
from face_af_common.stamps import to_ns
from face_af_msgs.msg import AfOverlay

from .debug_picture import debug_picture
from .detector import AfBoxDetector, PictureError
from .follow import BoxTracker
from .params import OverlayNodeParams


class OverlayNode(Node):
    """Reads the camera's AF boxes from every frame."""

    def __init__(self) -> None:
        super().__init__("overlay")
        self._params = LiveParameters(self, OverlayNodeParams)
        self._detector = AfBoxDetector()
        self._tracker = BoxTracker()
        self._last: AfOverlay | None = None
        self._health = Health(self, extra=self._figures)
        self._hearing = Hearing(self, self._health, "image_raw")
        self._publisher = self.create_publisher(AfOverlay, "af_overlay", RESULT)
        self._debug = self.create_publisher(Image, "debug/overlay", IMAGE)
        self.create_subscription(Image, "image_raw", self._on_image, IMAGE)

    def _on_image(self, message: Image) -> None:
        self._hearing.got("image_raw")
        stamp_ns = to_ns(message.header.stamp)
        if self._last is not None and to_ns(self._last.header.stamp) == stamp_ns:
            self._publisher.publish(self._last)
            return
        started = time.monotonic()
        params = self._params.value
        try:
            picture = to_bgr(message)
            self._detector.params = params
            watched = self._debug.get_subscription_count() > 0
            found = self._detector.inspect(picture, explain=watched)
        except (ImageError, PictureError) as error:
            self._health.fault(str(error), WARN)
            return
        boxes = self._tracker.update(found.boxes, stamp_ns / 1e9, params.follow)
        overlay = AfOverlay(header=message.header, width=message.width, height=message.height)
        overlay.boxes = af_boxes_to_msg(boxes)
        overlay.processing_ms = (time.monotonic() - started) * 1e3
        self._publisher.publish(overlay)
        self._last = overlay
        self._health.recovered()
        self._health.tick(stamp_ns, (self.get_clock().now().nanoseconds - stamp_ns) / 1e9)
        if watched:
            self._debug.publish(from_bgr(debug_picture(picture, boxes, found.rejected), message.header))

    def _figures(self) -> dict[str, object]:
        if self._last is None:
            return {}
        return {"boxes": len(self._last.boxes), "processing_ms": f"{self._last.processing_ms:.1f}"}


def main(args: Sequence[str] | None = None) -> int:
    return run_node(OverlayNode, args, prepare=AfBoxDetector().warm_up)
