"""A good file of every kind, made of the simulated stage's photographs."""

from __future__ import annotations

import shutil
import sqlite3
import wave
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rclpy.serialization import serialize_message
from std_msgs.msg import Header

from face_af_common.images import to_jpeg
from face_af_common.stamps import from_ns
from face_af_msgs import msg as m
from face_af_recording.bag.bag_folder import TopicInfo
from face_af_recording.bag.definitions import definition
from face_af_recording.recorder.recorder import COMPRESSED_TYPE, BagRecorder, RecorderLimits
from face_af_sim import cast as stage_cast
from face_af_sim import samples

START_NS = 1_700_000_000_000_000_000
_PERIOD_NS = 33_333_333
_TOPICS = {
    "image_raw/compressed": COMPRESSED_TYPE,
    "faces": "face_af_msgs/msg/FaceArray",
    "af_overlay": "face_af_msgs/msg/AfOverlay",
    "state": "face_af_msgs/msg/SteeringState",
}
_HEAD = cv2.IMREAD_COLOR


def photographs(folder: Path) -> list[Path]:
    """Photographs of one person, at most 480 pixels high, each also mirrored and darker."""
    samples.fetch(samples.samples_dir(), lambda line: None)
    stage = stage_cast.prepare_stage("", "", say=lambda line: None)
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for path in sorted((stage.enrolment / stage.target).iterdir()):
        image = cv2.imread(str(path), _HEAD)
        if image is not None:
            scale = min(480 / image.shape[0], 1.0)
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            for kind, shown in (("", small), ("_mirrored", small[:, ::-1]), ("_dark", small // 2)):
                made.append(folder / f"{path.stem}{kind}.jpg")
                cv2.imwrite(str(made[-1]), shown)
    return made


def _image(photo: Path) -> Any:
    return cv2.imread(str(photo), _HEAD)


def video(photo: Path, path: Path, frames: int = 8, size: tuple[int, int] | None = (320, 240)) -> Path:
    """A face that moves a little; ``size``: width and height, pixels, or None for the photograph's."""
    image = _image(photo)
    size = size or (image.shape[1] // 2 * 2, image.shape[0] // 2 * 2)
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*("mp4v" if path.suffix == ".mp4" else "MJPG")), 10, size
    )
    for number in range(frames):
        writer.write(np.roll(image, number, 1))
    writer.release()
    return path


def bag(folder: Path, photo: Path, frames: int = 6) -> Path:
    """A finished MCAP bag as the recorder writes it."""
    folder.mkdir(parents=True)
    recorder = BagRecorder(folder, RecorderLimits(sync=False))
    for name, kind in _TOPICS.items():
        recorder.add_topic(TopicInfo(f"/face_af/{name}", kind, definition(kind)))
    for name, stamp, message in _messages(photo, frames):
        recorder.add(f"/face_af/{name}", stamp, serialize_message(message))
    recorder.close()
    return folder


def sqlite_bag(folder: Path, photo: Path, frames: int = 6) -> Path:
    """The same as rosbag2's older storage, SQLite3 (schema of Humble)."""
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "old_0.db3") as base:
        base.execute(
            "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, "
            "serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL)"
        )
        base.execute(
            "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, timestamp INTEGER NOT NULL, "
            "data BLOB NOT NULL)"
        )
        numbers = {name: number for number, name in enumerate(_TOPICS, 1)}
        for name, kind in _TOPICS.items():
            base.execute("INSERT INTO topics VALUES (?, ?, ?, 'cdr', '')", (numbers[name], f"/face_af/{name}", kind))
        for name, stamp, message in _messages(photo, frames):
            row = (numbers[name], stamp, serialize_message(message))
            base.execute("INSERT INTO messages(topic_id, timestamp, data) VALUES (?, ?, ?)", row)
    base.close()
    return folder


def _messages(photo: Path, frames: int) -> list[tuple[str, int, object]]:
    image = cv2.resize(_image(photo), (320, 240), interpolation=cv2.INTER_AREA)
    box = m.BoundingBox(x=100.0, y=60.0, width=90.0, height=110.0)
    made: list[tuple[str, int, object]] = []
    for number in range(frames):
        stamp = START_NS + number * _PERIOD_NS
        header = Header(stamp=from_ns(stamp), frame_id="camera")
        face = m.Face(track_id=1, box=box, score=0.9, identity="ann", similarity=0.6, is_target=True)
        af_box = m.AfBox(state=3, box=box, confidence=1.0)
        made += [
            ("image_raw/compressed", stamp, to_jpeg(np.roll(image, number, 1), header)),
            ("faces", stamp, m.FaceArray(header=header, width=320, height=240, faces=[face], target="ann")),
            ("af_overlay", stamp, m.AfOverlay(header=header, width=320, height=240, boxes=[af_box])),
            ("state", stamp, m.SteeringState(header=header, state=5, target="ann", target_track_id=1)),
        ]
    return made


def sound(path: Path, seconds: float = 2.0) -> Path:
    """Something with the rhythm of a voice."""
    times = np.arange(int(16000 * seconds)) / 16000
    wave_ = np.sin(2 * np.pi * 150 * times) * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * times))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes((wave_ * 12000).astype("<i2").tobytes())
    return path


def copied(source: Path, target: Path) -> Path:
    """A file or folder, anew."""
    if target.is_dir():
        shutil.rmtree(target)
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
    return target
