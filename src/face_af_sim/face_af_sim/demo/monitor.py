"""The demo's own node: listens to the graph and to the stage's truth, and keeps what the report needs."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from face_af_common import qos
from face_af_common.conversions import af_boxes_from_msg, box_from_msg, faces_from_msg
from face_af_common.image_files import decode_frame
from face_af_common.images import BGR
from face_af_common.names import short
from face_af_common.pairing import StampPairer
from face_af_common.received import subscribe
from face_af_common.stamps import to_ns
from face_af_common.types import SteeringStatus
from face_af_msgs import msg as m
from face_af_recording.label_scoring import judge_names
from face_af_view.annotate import Caption

from .measure import FrameResult, Measure, Truth
from .video import VideoFrame, VideoWriter

_PICTURES_KEPT = 8
"""Pictures that wait for their results; older ones are let go."""


@dataclass
class Now:
    """The newest of everything, for the live line."""

    fps: float = 0.0
    similarity: float | None = None
    focus: str = ""
    connected: bool = False


class Monitor(Node):
    """Joins truth, faces, boxes and state by stamp; writes the annotated frames to ``video`` if given."""

    def __init__(self, namespace: str, video: VideoWriter | None, lockstep: bool) -> None:
        super().__init__("demo_monitor", namespace=namespace)
        self.measure = Measure()
        self.now = Now()
        self.first_frame_at: float | None = None
        self.last_frame_at = 0.0
        self.models = ""
        """Detector and embedder, as perception reports them."""
        self._video = video
        self._lockstep = lockstep
        self._start_ns: int | None = None
        self._arrived: OrderedDict[int, float] = OrderedDict()
        self._pictures: OrderedDict[int, CompressedImage] = OrderedDict()
        self._whole_video = lockstep and video is not None
        streams = ("truth", "faces", "boxes", "state", *(("picture",) if self._whole_video else ()))
        self._pairer = StampPairer(streams, depth=30)
        # lockstep loses nothing: the stage goes on when this node has all of a frame
        self._seen = self.create_publisher(Header, "sim/seen", qos.RESULT) if lockstep else None
        if video is not None:
            # as JPEG: the raw frames stay in the process of those who need all of their pixels
            jpegs = self.resolve_topic_name("image_raw") + "/compressed"
            self.create_subscription(CompressedImage, jpegs, self._on_image, qos.COMPRESSED)
        for stream, kind, topic in (
            ("truth", m.SimTruth, "sim/truth"),
            ("faces", m.FaceArray, "faces"),
            ("boxes", m.AfOverlay, "af_overlay"),
            ("state", m.SteeringState, "state"),
        ):
            subscribe(self, kind, topic, partial(self._on_message, stream), qos.RESULT)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        subscribe(self, m.CameraStatus, "camera_status", self._on_camera, qos.STATUS)

    def _on_image(self, message: CompressedImage) -> None:
        if self._whole_video:
            self._on_message("picture", message)
            return
        self._pictures[to_ns(message.header.stamp)] = message
        while len(self._pictures) > _PICTURES_KEPT:
            self._pictures.popitem(last=False)

    def _on_camera(self, message: m.CameraStatus) -> None:
        self.now.connected = message.connected

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.endswith("perception"):
                said = {entry.key: entry.value for entry in status.values}
                self.models = short(f"{said.get('detector', '?')} + {said.get('embedder', '?')}", 200)

    def _on_message(self, stream: str, message: Any) -> None:
        stamp = to_ns(message.header.stamp)
        if stream == "truth":
            self._arrived.setdefault(stamp, time.monotonic())
            while len(self._arrived) > 100:
                self._arrived.popitem(last=False)
        joined = self._pairer.add(stream, stamp, message)
        if joined is not None:
            self._on_frame(stamp, **joined)
        if self._seen is not None and stamp == self._pairer.newest:
            # said again when the frame is shown again
            self._seen.publish(message.header)

    def _on_frame(
        self,
        stamp: int,
        truth: m.SimTruth,
        faces: m.FaceArray,
        boxes: m.AfOverlay,
        state: m.SteeringState,
        picture: CompressedImage | None = None,
    ) -> None:
        if self._start_ns is None:
            self._start_ns = stamp
            self.first_frame_at = time.monotonic()
        self.last_frame_at = time.monotonic()
        seconds = (stamp - self._start_ns) / 1e9
        shown = Truth(
            target=truth.target,
            names=tuple(truth.names),
            boxes=tuple(box_from_msg(b) for b in truth.boxes),
            visible=tuple(truth.visible),
            focus=truth.focus,
            target_visible=truth.target_visible,
            target_focused=truth.target_focused,
        )
        seen = faces_from_msg(faces)
        named, wrong = judge_names(list(zip(shown.names, shown.boxes, strict=True)), shown.target, seen)
        # simulated time stands still while a frame is computed, so lockstep is measured on the wall
        arrived = self._arrived.get(stamp)
        latency = (time.monotonic() - arrived) * 1e3 if self._lockstep and arrived else state.latency_ms
        status = SteeringStatus(state.state)
        self.measure.add(FrameResult(seconds, shown, status, state.presses, latency, named, wrong))

        target = next((face for face in seen if face.is_target), None)
        self.now.similarity = target.similarity if target else None
        self.now.focus = truth.focus
        self._count_fps()
        picture = picture or self._pictures.pop(stamp, None)
        if picture is not None and self._video is not None:
            caption = Caption(
                state=status,
                reason=state.reason,
                target=truth.target,
                presses=state.presses,
                fps=self.now.fps,
                latency_ms=latency,
            )
            self._video.write(VideoFrame(seconds, _decoded(picture), seen, af_boxes_from_msg(boxes), caption))

    def _count_fps(self) -> None:
        recent = self.measure.frames[-60:]
        if self._lockstep:
            elapsed = time.monotonic() - (self.first_frame_at or 0.0)
            self.now.fps = len(self.measure.frames) / max(elapsed, 1e-3)
        elif len(recent) > 1:
            self.now.fps = (len(recent) - 1) / max(recent[-1].time - recent[0].time, 1e-3)


def _decoded(picture: CompressedImage) -> BGR:
    return decode_frame(np.frombuffer(picture.data, np.uint8))
