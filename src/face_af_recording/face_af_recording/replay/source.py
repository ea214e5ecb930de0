"""Frames to replay: rosbag2 bags of any origin (MCAP or SQLite3, raw or compressed pictures) and plain videos."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from face_af_common.images import BGR, ImageError, to_bgr

from ..bag.bag_folder import RecordingError
from ..bag.repair import is_finished, is_mcap

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
VIDEO_SUFFIXES = {".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".ts", ".mts"}


Undecoded = tuple[int, Callable[[], BGR]]


@dataclass(frozen=True)
class Message:
    """One recorded message. ``stamp_ns``: of its header where it has one, else of its reception."""

    topic: str
    type: str
    stamp_ns: int
    log_ns: int
    raw: bytes
    value: Any


class VideoSource:
    """The frames of a video file; stamps count from 0 at the file's frame rate."""

    def __init__(self, path: Path) -> None:
        self.path = path
        capture = cv2.VideoCapture(str(path))
        try:
            done, _ = capture.read()
            if not done:
                raise RecordingError(f"{path} cannot be read as a video")
            fps = capture.get(cv2.CAP_PROP_FPS)
            self.fps = fps if 1.0 <= fps <= 1000.0 else 30.0
            self.frame_count = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 1)
        finally:
            capture.release()

    def undecoded(self) -> Iterator[Undecoded]:
        """Like :meth:`frames`; a video's frames are decoded one after the other all the same."""
        for stamp, picture in self.frames():
            yield stamp, lambda picture=picture: picture  # type: ignore[misc]

    def frames(self) -> Iterator[tuple[int, BGR]]:
        capture = cv2.VideoCapture(str(self.path))
        try:
            number = 0
            while True:
                done, picture = capture.read()
                if not done:
                    return
                yield self._stamp(number), np.asarray(picture, np.uint8)
                number += 1
        finally:
            capture.release()

    def _stamp(self, number: int) -> int:
        # not 0: a stamp of zero means "not set" in ROS
        return 1_000_000_000 + round(number * 1e9 / self.fps)

    def messages(self) -> Iterator[Message]:
        return iter(())

    def recorded_parameters(self) -> dict[str, dict[str, Any]]:
        return {}

    namespace = ""


class BagSource:
    """A rosbag2 folder or a single ``.mcap`` or ``.db3`` file. ``topic``: the pictures' topic; empty: the only one."""

    def __init__(self, path: Path, topic: str = "") -> None:
        self.path = path
        with self._open() as reader:
            pictures = {name: info for name, info in reader.topics.items() if info.msgtype in (IMAGE, COMPRESSED)}
            self.topic = _choose(path, topic, {name: info.msgcount for name, info in pictures.items()})
            self.frame_count = pictures[self.topic].msgcount
            self.topics = {name: str(info.msgtype) for name, info in reader.topics.items()}
        base = self.topic.removesuffix("/compressed")
        self.namespace = base.removesuffix("/image_raw") if base.endswith("/image_raw") else ""

    def frames(self) -> Iterator[tuple[int, BGR]]:
        """``(stamp in nanoseconds, picture)`` of every frame, in the order of recording. :class:`RecordingError`."""
        for stamp, decode in self.undecoded():
            yield stamp, decode()

    def undecoded(self) -> Iterator[Undecoded]:
        """``(stamp, function that returns the picture)``: decoding may be left to another thread."""
        for message in self.messages({self.topic}):
            yield message.stamp_ns, partial(self.picture, message)

    def picture(self, message: Message) -> BGR:
        """The picture of a message of :attr:`topic`."""
        try:
            if message.type == IMAGE:
                return to_bgr(message.value)
            picture = cv2.imdecode(np.asarray(message.value.data), cv2.IMREAD_COLOR)
        except (ImageError, cv2.error) as error:
            raise RecordingError(f"{self.path}: a picture of {self.topic} cannot be decoded ({error})") from error
        if picture is None:
            raise RecordingError(f"{self.path}: a picture of {self.topic} cannot be decoded")
        return np.asarray(picture, np.uint8)

    def messages(self, topics: set[str] | None = None) -> Iterator[Message]:
        """Every message of ``topics`` (None: all that can be read) in the order of reception."""
        with self._open() as reader:
            connections = [c for c in reader.connections if topics is None or c.topic in topics]
            if not connections:
                return
            try:
                for connection, log_ns, raw in reader.messages(connections=connections):
                    try:
                        value = reader.deserialize(raw, connection.msgtype)
                    except KeyError:
                        continue  # a type that neither the bag nor this machine describes
                    stamp = getattr(getattr(value, "header", None), "stamp", None)
                    stamp_ns = int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec) if stamp is not None else 0
                    data = bytes(raw)
                    yield Message(connection.topic, connection.msgtype, stamp_ns or log_ns, log_ns, data, value)
            except Exception as error:  # the reader's own types, zlib's, struct's
                if isinstance(error, RecordingError):
                    raise
                raise RecordingError(
                    f"{self.path} is damaged ({_line(error)}); "
                    "`ros2 run face_af_recording repair_bag` keeps what is whole"
                ) from error

    def recorded_parameters(self) -> dict[str, dict[str, Any]]:
        """``{node name: {parameter: value}}`` as noted by our recorder; empty for other bags."""
        found: dict[str, dict[str, Any]] = {}
        topics = {name for name, kind in self.topics.items() if name.endswith("/session")}
        for message in self.messages(topics) if topics else ():
            try:
                nodes = json.loads(message.value.data)["nodes"]
                found.update({str(name).rsplit("/", 1)[-1]: dict(values) for name, values in nodes.items()})
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
        return found

    @contextmanager
    def _open(self) -> Iterator[Any]:
        from rosbags.highlevel import AnyReader

        try:
            reader = AnyReader([self.path], default_typestore=_typestore())
            reader.open()
        except Exception as error:  # rosbags, ruamel, sqlite3 and struct all raise their own
            raise RecordingError(_why_unreadable(self.path, error)) from error
        try:
            yield reader
        finally:
            reader.close()


Source = VideoSource | BagSource


def open_source(path: Path, topic: str = "") -> Source:
    """A bag or a video. Raises :class:`RecordingError` with one line for anything that cannot be replayed."""
    if not path.exists():
        raise RecordingError(f"{path} does not exist")
    if path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES:
        return VideoSource(path)
    if path.is_file() and path.suffix not in (".mcap", ".db3"):
        raise RecordingError(f"{path} is neither a bag (folder, .mcap, .db3) nor a video")
    return BagSource(path, topic)


def _choose(path: Path, asked: str, pictures: dict[str, int]) -> str:
    filled = [name for name, count in pictures.items() if count]
    names = ", ".join(filled)
    if asked:
        if asked in filled:
            return asked
        raise RecordingError(f"{path} has no pictures on {asked}" + (f"; there are {names}" if filled else ""))
    if not filled:
        raise RecordingError(f"{path} holds no pictures")
    ours = [name for name in filled if name.removesuffix("/compressed").endswith("/image_raw")]
    if len(filled) == 1 or len(ours) == 1:
        return (ours or filled)[0]
    raise RecordingError(f"{path} has several picture topics; choose one of {names}")


def _typestore() -> Any:
    """ROS 2's standard types and face_af's own, for bags that carry no definitions (SQLite3 before Iron)."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    from ..bag.definitions import definition

    store = get_typestore(Stores.ROS2_HUMBLE)
    for name in ("FaceArray", "AfOverlay", "SteeringCommand", "SteeringState", "CameraStatus", "SimTruth"):
        text = definition(f"face_af_msgs/msg/{name}")
        if text:
            types = get_types_from_msg(text, f"face_af_msgs/msg/{name}")
            store.register({key: value for key, value in types.items() if key not in store.types})
    return store


def _why_unreadable(path: Path, error: Exception) -> str:
    files = [path] if path.is_file() else sorted(path.glob("*.mcap"))
    files = [file for file in files if file.suffix == ".mcap" and file.stat().st_size]
    if foreign := [file for file in files if not is_mcap(file)]:
        return f"{foreign[0]} is not an MCAP file"
    cut_off = [file for file in files if not is_finished(file)]
    if cut_off:
        return f"{cut_off[0]} is cut off; `ros2 run face_af_recording repair_bag {path}` makes it readable"
    if path.is_dir() and not (path / "metadata.yaml").exists():
        if files:
            return f"{path} has no metadata.yaml; `ros2 run face_af_recording repair_bag {path}` writes it"
        return f"{path} is not a bag: it has no metadata.yaml"
    return f"{path} cannot be read as a bag ({_line(error)})"


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
