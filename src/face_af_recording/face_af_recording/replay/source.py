"""Frames to replay: rosbag2 bags of any origin (MCAP or SQLite3, raw or compressed images) and plain videos."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from face_af_common.encodings import NO_COLOURS
from face_af_common.files import FileError, regular
from face_af_common.image_files import VIDEO_SUFFIXES, decode_frame
from face_af_common.images import BGR, ImageError, to_bgr
from face_af_common.natural_order import natural

from ..bag.bag_folder import RecordingError
from ..bag.repair import is_finished, is_mcap

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"


Undecoded = tuple[int, Callable[[], BGR]]
VIDEO_START_NS = 1_000_000_000
"""The stamp of a video's beginning; not 0, which means "not set" in ROS."""
_MOST_LINES = 10
_OWN_TYPES = (
    *("FaceArray", "AfOverlay", "SteeringCommand", "SteeringState"),
    *("CameraStatus", "FrameOrientation", "SimTruth", "Audio"),
)
_PACKETS = ("/CompressedVideo", "/FFMPEGPacket")
"""Message types of H.264 and the like (foxglove_msgs, ffmpeg_image_transport_msgs): no frame stands alone."""


@dataclass(frozen=True)
class Message:
    """One recorded message. ``stamp_ns``: of its header where it has one, else of its reception."""

    topic: str
    type: str
    stamp_ns: int
    log_ns: int
    raw: bytes
    value: Any


class UndecodableFrame(RecordingError):
    """One frame cannot be decoded; the text names it. The next one may be fine."""


class _Frames:
    """What bags and videos have in common. ``say`` gets a line for each frame that is left out, the first few."""

    path: Path

    def __init__(self) -> None:
        self.say: Callable[[str], None] = lambda line: print(line, file=sys.stderr)
        self.left_out = 0

    def undecoded(self) -> Iterator[Undecoded]:
        """``(stamp, function that returns the frame)``: decoding may be left to another thread.

        The function raises :class:`UndecodableFrame`, which is for :meth:`leave_out`.
        """
        raise NotImplementedError

    def frames(self) -> Iterator[tuple[int, BGR]]:
        """``(stamp in nanoseconds, frame)`` in the order of recording, without those that cannot be decoded.

        Raises :class:`RecordingError`, also where not one can be decoded.
        """
        decoded = False
        for stamp, decode in self.undecoded():
            try:
                frame = decode()
            except UndecodableFrame as error:
                self.leave_out(error)
                continue
            decoded = True
            yield stamp, frame
        self.check_decoded(decoded)

    def leave_out(self, error: UndecodableFrame) -> None:
        self.left_out += 1
        if self.left_out <= _MOST_LINES:
            more = "; no more lines about such frames" if self.left_out == _MOST_LINES else ""
            self.say(f"{error}; it is left out{more}")

    def check_decoded(self, decoded: bool) -> None:
        """Raises :class:`RecordingError` where there were frames and not one was decoded."""
        if self.left_out and not decoded:
            raise RecordingError(f"{self.path}: not one of {self.left_out} frames can be decoded")


class VideoSource(_Frames):
    """The frames of a video file; stamps are its own times, from 1 s on."""

    def __init__(self, path: Path) -> None:
        super().__init__()
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
        """A video's frames are decoded one after the other all the same."""
        capture = cv2.VideoCapture(str(self.path))
        start, stamp = VIDEO_START_NS, 0
        try:
            while True:
                done, frame = capture.read()
                if not done:
                    return
                own = start + round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
                # a time that does not go on is none
                stamp = own if own > stamp else stamp + round(1e9 / self.fps)
                image = np.asarray(frame, np.uint8)
                yield stamp, lambda image=image: image  # type: ignore[misc]
        finally:
            capture.release()

    def messages(self) -> Iterator[Message]:
        return iter(())

    def recorded_parameters(self) -> dict[str, dict[str, Any]]:
        return {}

    namespace = ""


class BagSource(_Frames):
    """A rosbag2 folder, a single ``.mcap`` or ``.db3`` file, or a ROS 1 ``.bag``.

    ``topic``: that of the frames; empty: the only one.
    """

    def __init__(self, path: Path, topic: str = "") -> None:
        super().__init__()
        self.path = path
        with self._open() as reader:
            images = {name: info for name, info in reader.topics.items() if info.msgtype in (IMAGE, COMPRESSED)}
            packets = [f"{n} ({i.msgtype})" for n, i in reader.topics.items() if str(i.msgtype).endswith(_PACKETS)]
            if packets and not images:
                raise RecordingError(f"{path} holds video packets, which are not read: {', '.join(packets)}")
            self.topic = _choose(path, topic, {name: info.msgcount for name, info in images.items()})
            self.frame_count = images[self.topic].msgcount
            self.topics = {name: str(info.msgtype) for name, info in reader.topics.items()}
        base = self.topic.removesuffix("/compressed")
        self.namespace = base.removesuffix("/image_raw") if base.endswith("/image_raw") else ""

    def undecoded(self) -> Iterator[Undecoded]:
        for number, message in enumerate(self.messages({self.topic})):
            yield message.stamp_ns, partial(self._decode, number, message)

    def _decode(self, number: int, message: Message) -> BGR:
        try:
            if message.type == IMAGE:
                return to_bgr(message.value)
            if "compressedDepth" in message.value.format:
                raise ImageError(NO_COLOURS)
            return decode_frame(np.asarray(message.value.data))
        except ImageError as error:
            which = f"frame {number} of {self.topic} (stamp {message.stamp_ns / 1e9:.3f} s)"
            raise UndecodableFrame(f"{self.path}: {which} cannot be decoded: {error}") from error

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
            reader = AnyReader(_readable(self.path), default_typestore=_typestore())
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
    if path.is_file() and path.suffix not in (".mcap", ".db3", ".bag"):
        raise RecordingError(f"{path} is neither a bag (folder, .mcap, .db3) nor a video")
    return BagSource(path, topic)


def _readable(path: Path) -> list[Path]:
    """What to open for a bag: itself, or the files of a folder whose metadata were never written (a power cut).

    Raises ``FileError`` for a FIFO or the like, which the reader would wait for.
    """
    for file in [path] if not path.is_dir() else path.iterdir():
        if not file.is_dir():
            regular(file)
    if path.is_file() or (path / "metadata.yaml").exists():
        return [path]
    return sorted(
        (file for file in path.iterdir() if file.suffix in (".db3", ".mcap")), key=lambda file: natural(file.name)
    ) or [path]


def _choose(path: Path, asked: str, images: dict[str, int]) -> str:
    filled = [name for name, count in images.items() if count]
    names = ", ".join(filled)
    if asked:
        if asked in filled:
            return asked
        raise RecordingError(f"{path} has no images on {asked}" + (f"; there are {names}" if filled else ""))
    if not filled:
        raise RecordingError(f"{path} holds no images")
    ours = [name for name in filled if name.removesuffix("/compressed").endswith("/image_raw")]
    if len(filled) == 1 or len(ours) == 1:
        return (ours or filled)[0]
    raise RecordingError(f"{path} has several image topics; choose one of {names}")


def _typestore() -> Any:
    """ROS 2's standard types and face_af's own, for bags that carry no definitions (SQLite3 before Iron)."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    from ..bag.definitions import definition

    store = get_typestore(Stores.ROS2_HUMBLE)
    for name in _OWN_TYPES:
        text = definition(f"face_af_msgs/msg/{name}")
        if text:
            types = get_types_from_msg(text, f"face_af_msgs/msg/{name}")
            store.register({key: value for key, value in types.items() if key not in store.types})
    return store


def _why_unreadable(path: Path, error: Exception) -> str:
    if isinstance(error, FileError):
        return str(error)
    files = [path] if path.is_file() else sorted(path.glob("*.mcap"))
    files = [file for file in files if file.suffix == ".mcap" and file.stat().st_size]
    if foreign := [file for file in files if not is_mcap(file)]:
        return f"{foreign[0]} is not an MCAP file"
    cut_off = [file for file in files if not is_finished(file)]
    if cut_off:
        return f"{cut_off[0]} is cut off; `ros2 run face_af_recording repair_bag {path}` makes it readable"
    if path.is_dir() and not (path / "metadata.yaml").exists():
        if any(path.glob("*.zstd")):
            return f"{path} has no metadata.yaml, which compressed files need; `ros2 bag reindex {path}` writes it"
        if files:
            return f"{path} has no metadata.yaml; `ros2 run face_af_recording repair_bag {path}` writes it"
        return f"{path} is not a bag: it has no metadata.yaml"
    return f"{path} cannot be read as a bag ({_line(error)})"


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
