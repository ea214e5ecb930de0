"""Bags that other programs wrote, and videos: what can be replayed of them, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import bags
import cv2
import numpy as np
import pytest
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from sensor_msgs.msg import CompressedImage

from face_af_common.images import from_bgr
from face_af_recording.bag.bag_folder import RecordingError
from face_af_recording.bag.definitions import definition
from face_af_recording.replay.recorded import recorded_frames
from face_af_recording.replay.source import open_source
from face_af_recording.replay.stages import compute


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_foreign_bag_with_raw_pictures(tmp_path: Path, storage: str) -> None:
    store = get_typestore(Stores.ROS2_HUMBLE)
    path = tmp_path / "foreign"
    plugin = StoragePlugin.SQLITE3 if storage == "sqlite3" else StoragePlugin.MCAP
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        connection = writer.add_connection("/hdmi/picture", "sensor_msgs/msg/Image", typestore=store)
        for number in range(5):
            raw = bytes(serialize_message(from_bgr(bags.picture(number), bags.header(number))))
            writer.write(connection, bags.stamp(number), raw)
    source = open_source(path)
    assert source.frame_count == 5
    frames = list(compute(source, ["overlay"], {}))
    assert [frame.stamp_ns for frame in frames] == [bags.stamp(number) for number in range(5)]
    assert not recorded_frames(source)


def test_video(tmp_path: Path) -> None:
    path = tmp_path / "show.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (bags.WIDTH, bags.HEIGHT))
    for number in range(10):
        writer.write(bags.picture(number))
    writer.release()
    frames = list(compute(open_source(path), ["overlay"], {}))
    assert len(frames) == 10
    assert frames[1].stamp_ns - frames[0].stamp_ns == 40_000_000


def write_jpegs(path: Path, jpegs: list[bytes], **compression: object) -> Path:
    """A bag as ``ros2 bag record`` on Humble writes it (SQLite3), with these JPEGs."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    writer = Writer(path, version=9)
    if compression:
        writer.set_compression(**compression)  # type: ignore[arg-type]
    with writer:
        connection = writer.add_connection("/c/compressed", "sensor_msgs/msg/CompressedImage", typestore=store)
        for number, jpeg in enumerate(jpegs):
            message = CompressedImage(header=bags.header(number), format="bgr8; jpeg compressed bgr8", data=jpeg)
            writer.write(connection, bags.stamp(number), bytes(serialize_message(message)))
    return path


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda jpeg: b"", "empty, 0 bytes"),
        (lambda jpeg: jpeg[: len(jpeg) // 2], "a JPEG that is cut off after"),
        (lambda jpeg: b"not a jpeg", "not an image"),
    ],
)
def test_a_damaged_frame_is_named_and_left_out(tmp_path: Path, damage: Callable[[bytes], bytes], words: str) -> None:
    frames = bags.jpegs(6)
    frames[3] = damage(frames[3])
    source = open_source(write_jpegs(tmp_path / "bad", frames))
    lines: list[str] = []
    source.say = lines.append
    kept = [bags.stamp(number) for number in (0, 1, 2, 4, 5)]
    assert [stamp for stamp, _ in source.frames()] == kept
    assert len(lines) == 1 and words in lines[0] and "frame 3 of /c/compressed (stamp 1700000000.100 s)" in lines[0]
    assert [frame.stamp_ns for frame in compute(source, ["overlay"], {})] == kept
    assert len(lines) == 2


def test_many_damaged_frames_are_a_few_lines(tmp_path: Path) -> None:
    source = open_source(write_jpegs(tmp_path / "bad", bags.jpegs(1) + [b""] * 40))
    lines: list[str] = []
    source.say = lines.append
    assert len(list(source.frames())) == 1
    assert (len(lines), source.left_out) == (10, 40) and lines[-1].endswith("no more lines about such frames")


def test_a_bag_of_nothing_but_damaged_frames_cannot_be_replayed(tmp_path: Path) -> None:
    path = write_jpegs(tmp_path / "bad", [b"", b""])
    with pytest.raises(RecordingError, match="not one of 2 frames can be decoded"):
        list(open_source(path).frames())
    with pytest.raises(RecordingError, match="not one of 2 frames can be decoded"):
        list(compute(open_source(path), ["overlay"], {}))


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_a_folder_without_metadata_plays_as_its_files_do(tmp_path: Path, storage: str) -> None:
    """Left by a power cut while ``ros2 bag record`` ran; eleven files, so that 10 must not come before 2."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    folder = tmp_path / "show"
    folder.mkdir()
    plugin = StoragePlugin.SQLITE3 if storage == "sqlite3" else StoragePlugin.MCAP
    for number, jpeg in enumerate(bags.jpegs(11)):
        part = tmp_path / f"part_{number}"
        with Writer(part, version=9, storage_plugin=plugin) as writer:
            connection = writer.add_connection("/c/compressed", "sensor_msgs/msg/CompressedImage", typestore=store)
            message = CompressedImage(header=bags.header(number), format="jpeg", data=jpeg)
            writer.write(connection, bags.stamp(number), bytes(serialize_message(message)))
        (file,) = part.glob(f"part_{number}.*")
        file.rename(folder / f"show_{number}{file.suffix}")
    source = open_source(folder)
    assert source.frame_count == 11
    assert [stamp for stamp, _ in source.frames()] == [bags.stamp(number) for number in range(11)]


@pytest.mark.parametrize("version", range(1, 10))
def test_metadata_of_every_ros_2(tmp_path: Path, version: int) -> None:
    """1 to 4: before Humble, 5: Humble, 8: Iron, 9: Jazzy and later."""
    path = write_jpegs(tmp_path / "show", bags.jpegs(2))
    text = (path / "metadata.yaml").read_text()
    assert text.count("version: 9") == 1
    (path / "metadata.yaml").write_text(text.replace("version: 9", f"version: {version}"))
    assert len(list(open_source(path).frames())) == 2


@pytest.mark.parametrize("mode", [CompressionMode.MESSAGE, CompressionMode.FILE])
def test_compressed_bags(tmp_path: Path, mode: CompressionMode) -> None:
    path = write_jpegs(tmp_path / "show", bags.jpegs(3), mode=mode, fmt=CompressionFormat.ZSTD)
    assert len(list(open_source(path).frames())) == 3
    if mode == CompressionMode.FILE:
        (path / "metadata.yaml").unlink()
        with pytest.raises(RecordingError, match="which compressed files need; `ros2 bag reindex"):
            open_source(path)


@pytest.mark.parametrize("compression", ["LZ4", "ZSTD", "NONE"])
def test_compressed_mcap_chunks(tmp_path: Path, compression: str) -> None:
    """As rosbag2's storage preset ``zstd_fast`` and Foxglove write them."""
    from mcap.writer import CompressionType
    from mcap.writer import Writer as McapWriter

    path = tmp_path / "show.mcap"
    with path.open("wb") as file:
        writer = McapWriter(file, compression=CompressionType[compression])
        writer.start("ros2")
        text = definition("sensor_msgs/msg/CompressedImage").encode()
        schema = writer.register_schema("sensor_msgs/msg/CompressedImage", "ros2msg", text)
        channel = writer.register_channel("/c/compressed", "cdr", schema)
        for number, jpeg in enumerate(bags.jpegs(3)):
            message = CompressedImage(header=bags.header(number), format="jpeg", data=jpeg)
            stamp = bags.stamp(number)
            writer.add_message(channel, stamp, bytes(serialize_message(message)), stamp)
        writer.finish()
    assert len(list(open_source(path).frames())) == 3


def test_a_ros_1_bag(tmp_path: Path) -> None:
    from rosbags.rosbag1 import Writer as Ros1Writer

    store = get_typestore(Stores.ROS1_NOETIC)
    types = store.types
    path = tmp_path / "show.bag"
    with Ros1Writer(path) as writer:
        kind = "sensor_msgs/msg/CompressedImage"
        connection = writer.add_connection("/c/compressed", kind, typestore=store)
        for number, jpeg in enumerate(bags.jpegs(3)):
            stamp = bags.header(number).stamp
            time = types["builtin_interfaces/msg/Time"](stamp.sec, stamp.nanosec)
            header = types["std_msgs/msg/Header"](number, time, "camera")
            message = types[kind](header, "jpeg", np.frombuffer(jpeg, np.uint8))
            writer.write(connection, bags.stamp(number), store.serialize_ros1(message, kind))
    assert [stamp for stamp, _ in open_source(path).frames()] == [bags.stamp(number) for number in range(3)]


def test_video_packets_are_said(tmp_path: Path) -> None:
    path = tmp_path / "packets"
    kind = "foxglove_msgs/msg/CompressedVideo"
    text = "builtin_interfaces/Time timestamp\nstring frame_id\nuint8[] data\nstring format"
    store = get_typestore(Stores.ROS2_HUMBLE)
    store.register(get_types_from_msg(text, kind))
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        writer.write(writer.add_connection("/video", kind, typestore=store), 1, bytes(28))
    with pytest.raises(RecordingError, match=r"holds video packets, which are not read: /video \(foxglove_msgs"):
        open_source(path)


def test_a_depth_image_is_no_frame(tmp_path: Path) -> None:
    store = get_typestore(Stores.ROS2_HUMBLE)
    path = tmp_path / "depth"
    with Writer(path, version=9) as writer:
        connection = writer.add_connection("/d/compressedDepth", "sensor_msgs/msg/CompressedImage", typestore=store)
        message = CompressedImage(format="16UC1; compressedDepth png", data=bytes(12) + b"\x89PNG")
        writer.write(connection, 1, bytes(serialize_message(message)))
    lines: list[str] = []
    source = open_source(path)
    source.say = lines.append
    with pytest.raises(RecordingError, match="not one of 1 frames"):
        list(source.frames())
    assert "it holds measurements" in lines[0]


def test_a_video_keeps_its_own_times(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV makes a video whose rate varies")
    path = tmp_path / "phone.mp4"
    times = [0, 33, 66, 400, 433, 1500]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time in times:
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    stamps = [stamp for stamp, _ in open_source(path).frames()]
    assert [round((stamp - 1_000_000_000) / 1e6) for stamp in stamps] == pytest.approx(times, abs=1)
