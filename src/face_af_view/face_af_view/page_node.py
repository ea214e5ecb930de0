"""The node ``page``: a web page for the phone beside the stage.

Subscribes ``image_raw``, ``faces``, ``af_overlay``, ``state``, ``camera_status`` and ``/diagnostics`` while a person
looks; calls the services of perception, overlay, steering and the driver. With nobody looking it receives nothing.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile

from face_af_common import qos
from face_af_common.conversions import af_boxes_from_msg, faces_from_msg
from face_af_common.diagnostics import OK, WARN, Health
from face_af_common.frames import Frame, FrameSubscription
from face_af_common.images import ImageError
from face_af_common.live_parameters import LiveParameters
from face_af_common.paths import data_dir
from face_af_common.received import subscribe
from face_af_common.stamps import to_ns
from face_af_msgs.msg import AfOverlay, CameraStatus, FaceArray, SteeringState

from .page import scene
from .page.acts import Acts
from .page.graph import RosGraph
from .page.hub import Hub
from .page.people_api import PeopleApi
from .page.processes import Recorder, doctor
from .page.recipes import recipes
from .page.replays import Replays
from .page.site import Site
from .page.status import StatusBoard
from .params import PageParams

_RETRY_S = 3.0


class PageNode(Node):
    """Thin: topics to the hub, the hub's wishes to services. The web server has a thread of its own."""

    def __init__(self) -> None:
        super().__init__("page")
        self._params = LiveParameters(self, PageParams)
        self._inputs: list[Any] = []
        self._frames: FrameSubscription | None = None
        self._board = StatusBoard(self.get_namespace())
        self._recorder = Recorder(self.get_namespace())
        self._replays = Replays(data_dir() / "recordings", data_dir() / "page", self._params.value.bind)
        self._graph = RosGraph(self, self._recorder.record)
        self._hub = Hub(self._on_watch, lambda: int(self.get_clock().now().nanoseconds), self._status)
        self._health = Health(self, extra=lambda: {"viewers": self._hub.viewers, "address": self._site.address})
        self._health.level, self._health.message = OK, "nobody looks"
        self._site = Site(
            self._params.value,
            data_dir() / "page",
            self._hub,
            Acts(self._graph),
            PeopleApi(self._graph, lambda: self._params.value.upload_mb),
            {
                "parameters": lambda query: self._graph.parameters(query.get("node", "")),
                "recipes": lambda query: recipes(self._graph),
                "doctor": lambda query: doctor(),
                "mode": lambda query: self._mode(),
            },
            self._replays,
            lambda: self._params.value.max_rate,
            self.get_logger().info,
        )
        self._tried_at = -1e9
        self.create_timer(0.5, self._start_site, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._start_site()

    def close(self) -> None:
        self._recorder.close()
        self._replays.stop()
        self._site.close()

    def _start_site(self) -> None:
        """Starts the server, again and again while its address is not to be had: the graph does not end for that."""
        if self._site.running or time.monotonic() - self._tried_at < _RETRY_S:
            return
        self._tried_at = time.monotonic()
        problem = self._site.start()
        if problem:
            self._health.fault(problem, WARN)
        else:
            self._health.recovered("nobody looks")

    def _status(self) -> dict[str, Any]:
        return self._board.status(time.monotonic(), self._recorder.running, self._graph.known)

    async def _mode(self) -> dict[str, Any]:
        return {"mode": await self._graph.parameter("steering", "mode")}

    def _on_watch(self, looking: bool) -> None:
        """From the server's thread."""
        self._graph.in_ros(lambda: self._listen(looking))

    def _listen(self, looking: bool) -> None:
        if looking and not self._inputs:
            diagnostics = QoSProfile(depth=20)
            self._inputs = [
                subscribe(self, FaceArray, "faces", self._on_faces, qos.RESULT),
                subscribe(self, AfOverlay, "af_overlay", self._on_boxes, qos.RESULT),
                subscribe(self, SteeringState, "state", self._on_state, qos.RESULT),
                subscribe(self, CameraStatus, "camera_status", self._board.on_camera, qos.STATUS),
                self.create_subscription(DiagnosticArray, "/diagnostics", self._board.on_diagnostics, diagnostics),
            ]
            self._frames = FrameSubscription(self, "image_raw", self._on_frame, self._on_error, in_step=False)
            self._health.recovered("it is watched")
        elif not looking and self._inputs:
            for subscription in self._inputs:
                self.destroy_subscription(subscription)
            self._inputs = []
            if self._frames is not None:
                self._frames.close()
                self._frames = None
            self._health.recovered("nobody looks")

    def _on_frame(self, frame: Frame) -> None:
        self._hub.post_frame(frame)
        self._health.tick(frame.stamp_ns)

    def _on_error(self, error: ImageError) -> None:
        self._health.fault(f"image_raw cannot be shown: {error}", WARN)

    def _on_faces(self, message: FaceArray) -> None:
        self._board.on_faces(time.monotonic())
        self._graph.known = dataclasses.replace(
            self._graph.known,
            target=message.target,
            followed=message.followed_track_id,
            width=message.width,
            height=message.height,
        )
        faces = [scene.face(face) for face in faces_from_msg(message)]
        self._hub.post_result("faces", to_ns(message.header.stamp), faces)

    def _on_boxes(self, message: AfOverlay) -> None:
        boxes = [scene.af_box(box) for box in af_boxes_from_msg(message)]
        self._hub.post_result("boxes", to_ns(message.header.stamp), boxes)

    def _on_state(self, message: SteeringState) -> None:
        self._graph.known = dataclasses.replace(self._graph.known, paused=message.paused, recipe=message.recipe)
        state = {
            "state": message.state,
            "reason": message.reason,
            "target": message.target,
            "focus": message.focus_track_id,
            "presses": message.presses,
            "latency": round(message.latency_ms, 1),
            "paused": message.paused,
            "recipe": message.recipe,
            "next": message.recipe_next,
        }
        self._hub.post_result("state", to_ns(message.header.stamp), state)
