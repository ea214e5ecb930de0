"""Messages of recordings that an earlier version has made."""

from __future__ import annotations

from types import SimpleNamespace

import bags
import numpy as np
from rclpy.serialization import serialize_message

from face_af_recording.bag.message_types import fitting

FACES = "face_af_msgs/msg/FaceArray"


def test_a_message_of_this_version_stays_as_it_is() -> None:
    raw = serialize_message(bags.faces(3))
    assert fitting(FACES, raw, None) is raw


def test_a_message_of_before_gets_what_it_lacks() -> None:
    now = bags.faces(3)
    face = now.faces[0]
    box = SimpleNamespace(x=face.box.x, y=face.box.y, width=face.box.width, height=face.box.height)
    old_face = SimpleNamespace(
        track_id=1, box=box, score=face.score, landmarks=np.zeros(10, np.float32), identity="ann", is_target=True
    )
    stamp = SimpleNamespace(sec=now.header.stamp.sec, nanosec=now.header.stamp.nanosec)
    header = SimpleNamespace(stamp=stamp, frame_id="camera")
    old = SimpleNamespace(header=header, width=now.width, height=now.height, faces=[old_face], target="ann")
    made = fitting(FACES, b"\0\1\0\0", old)
    now.faces[0].similarity = 0.0  # which the old one lacks
    assert made == now
