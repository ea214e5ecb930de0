"""Small bags for tests: a face that walks, a camera's box on it, written by the recorder's own classes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from rclpy.serialization import serialize_message
from std_msgs.msg import Header, String

from face_af_common.images import to_jpeg
from face_af_common.stamps import from_ns
from face_af_msgs.msg import AfBox, AfOverlay, BoundingBox, Face, FaceArray, SteeringCommand, SteeringState
from face_af_recording.bag.bag_folder import TopicInfo
from face_af_recording.bag.definitions import definition
from face_af_recording.recorder.recorder import COMPRESSED_TYPE, BagRecorder, RecorderLimits

WIDTH, HEIGHT = 1280, 720
START_NS = 1_700_000_000_000_000_000
PERIOD_NS = 33_333_333


def stamp(number: int) -> int:
    return START_NS + number * PERIOD_NS


def picture(number: int) -> np.ndarray:
    """A dark stage with a green AF box on a moving head."""
    frame = np.full((HEIGHT, WIDTH, 3), (60, 45, 40), np.uint8)
    x = 100 + 3 * number
    cv2.circle(frame, (x + 40, 180), 50, (150, 170, 210), -1)
    cv2.rectangle(frame, (x, 140), (x + 80, 220), (60, 220, 60), 3)
    return frame


def header(number: int) -> Header:
    return Header(stamp=from_ns(stamp(number)), frame_id="camera")


def faces(number: int) -> FaceArray:
    box = BoundingBox(x=95.0 + 3 * number, y=125.0, width=90.0, height=110.0)
    face = Face(track_id=1, box=box, score=0.9, identity="ann", similarity=0.6, is_target=True)
    return FaceArray(header=header(number), width=WIDTH, height=HEIGHT, faces=[face], target="ann")


def overlay(number: int) -> AfOverlay:
    box = BoundingBox(x=100.0 + 3 * number, y=140.0, width=80.0, height=80.0)
    return AfOverlay(header=header(number), width=WIDTH, height=HEIGHT, boxes=[AfBox(state=3, box=box, confidence=1.0)])


def state(number: int) -> SteeringState:
    return SteeringState(header=header(number), state=5, target="ann", target_track_id=1, reason="on target")


def write_bag(folder: Path, frames: int = 20, session: str = "", **limits: object) -> Path:
    """A bag with pictures, faces, boxes and states; finished and closed."""
    folder.mkdir(parents=True, exist_ok=True)
    recorder = BagRecorder(folder, RecorderLimits(sync=False, **limits))  # type: ignore[arg-type]
    kinds = {
        "faces": "face_af_msgs/msg/FaceArray",
        "af_overlay": "face_af_msgs/msg/AfOverlay",
        "state": "face_af_msgs/msg/SteeringState",
        "command": "face_af_msgs/msg/SteeringCommand",
        "session": "std_msgs/msg/String",
        "image_raw/compressed": COMPRESSED_TYPE,
    }
    for name, kind in kinds.items():
        recorder.add_topic(TopicInfo(f"/face_af/{name}", kind, definition(kind)))
    if session:
        recorder.add("/face_af/session", stamp(0), serialize_message(String(data=session)))
    recorder.add(
        "/face_af/command",
        stamp(1),
        serialize_message(SteeringCommand(header=header(1), id=1, action=1, reason="left")),
    )
    for number in range(frames):
        messages = {
            "image_raw/compressed": to_jpeg(picture(number), header(number)),
            "faces": faces(number),
            "af_overlay": overlay(number),
            "state": state(number),
        }
        for name, message in messages.items():
            recorder.add(f"/face_af/{name}", stamp(number), serialize_message(message))
    recorder.close(within_s=100.0)
    return folder


def jpegs(count: int) -> list[bytes]:
    """The first ``count`` frames as JPEGs."""
    return [bytes(to_jpeg(picture(number), header(number)).data) for number in range(count)]
