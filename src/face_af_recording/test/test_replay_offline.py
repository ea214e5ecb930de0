"""Replays offline: the same bytes twice, foreign bags and videos, and one clear line for what cannot be replayed."""

from __future__ import annotations

import json
from pathlib import Path

import bags
import cv2
import pytest
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import CompressedImage

from face_af_common.images import from_bgr
from face_af_common.types import SteeringStatus
from face_af_recording.bag.bag_folder import RecordingError
from face_af_recording.replay.cli import main
from face_af_recording.replay.recorded import recorded_frames
from face_af_recording.replay.score import read_truth, score
from face_af_recording.replay.source import open_source
from face_af_recording.replay.stages import compute


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    session = json.dumps({"nodes": {"/face_af/steering": {"confirm_frames": 3, "gone": 1}}, "versions": {}})
    return bags.write_bag(tmp_path_factory.mktemp("bags") / "show", 25, session)


def test_two_replays_write_the_same_bytes(bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = []
    for number in (1, 2):
        report, results = tmp_path / f"{number}.json", tmp_path / f"{number}.jsonl"
        arguments = [str(bag), "--recompute", "overlay,steering", "--report", str(report), "--results", str(results)]
        assert main(arguments) == 0
        files.append((report.read_bytes(), results.read_bytes()))
    assert files[0] == files[1]
    report = json.loads(files[0][0])
    assert report["score"]["frames"] == 25
    assert report["parameters"]["steering"] == {"confirm_frames": 3}, "as recorded, as far as it still exists"
    assert report["score"]["on_target"] > 0.8
    assert "replayed" in capsys.readouterr().out


def test_what_is_not_recomputed_is_as_recorded(bag: Path) -> None:
    source = open_source(bag)
    frames = list(compute(source, [], {}))
    assert [frame.status for frame in frames] == [SteeringStatus.ON_TARGET] * 25
    assert sum(len(frame.actions) for frame in frames) == 1
    assert frames[3].faces is not None and frames[3].faces[0].identity == "ann"
    assert score(frames)["presses"] == 1


def test_recomputed_overlay_finds_the_box(bag: Path) -> None:
    frames = list(compute(open_source(bag), ["overlay"], {}))
    found = [frame.boxes for frame in frames]
    assert sum(bool(boxes) and boxes[0].chosen for boxes in found if boxes is not None) > 20


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


def cut_off(bag: Path, folder: Path) -> Path:
    folder.mkdir()
    file = folder / "cut.mcap"
    file.write_bytes(next(bag.glob("*.mcap")).read_bytes()[:-200])
    return file


def test_bad_bags_are_refused_in_one_line(bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty, text, video = tmp_path / "empty.mcap", tmp_path / "text.txt", tmp_path / "bad.mp4"
    empty.write_bytes(b"")
    text.write_text("hello")
    video.write_bytes(b"no video at all")
    (tmp_path / "folder").mkdir()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "metadata.yaml").write_text("rosbag2_bagfile_information: {version: 99}")
    cases = {
        tmp_path / "missing": "does not exist",
        empty: "cannot be read as a bag",
        text: "neither a bag",
        video: "cannot be read as a video",
        tmp_path / "folder": "no metadata.yaml",
        broken: "cannot be read as a bag",
        cut_off(bag, tmp_path / "cut"): "repair_bag",
        without_pictures(tmp_path / "dark"): "holds no pictures",
    }
    for path, expected in cases.items():
        assert main([str(path)]) == 1, path
        error = capsys.readouterr().err
        assert expected in error and len(error.strip().splitlines()) == 1, error


def without_pictures(path: Path) -> Path:
    store = get_typestore(Stores.ROS2_HUMBLE)
    with Writer(path, version=9) as writer:
        connection = writer.add_connection("/talk", "std_msgs/msg/String", typestore=store)
        writer.write(connection, 1, b"\0\1\0\0\2\0\0\0a\0")
    return path


def test_wrong_options_are_refused_in_one_line(bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    csv = tmp_path / "truth.csv"
    csv.write_text("frame,name\n0,ann\n")
    cases = {
        ("--recompute", "magic"): "magic cannot be recomputed",
        ("--recompute", "steering", "--set", "steering.confirm_framez=2"): "did you mean confirm_frames",
        ("--recompute", "steering", "--set", "steering.confirm_frames=0"): "outside",
        ("--recompute", "steering", "--params", str(tmp_path / "none.yaml")): "cannot be read",
        ("--recompute", "steering", "--truth", str(csv)): "is missing",
        ("--topic", "/other"): "has no pictures on /other; there are /face_af/image_raw/compressed",
    }
    for options, expected in cases.items():
        assert main([str(bag), *options]) == 1, options
        error = capsys.readouterr().err
        assert expected in error and len(error.strip().splitlines()) == 1, error


def test_score_against_labels(bag: Path, tmp_path: Path) -> None:
    csv = tmp_path / "truth.csv"
    rows = [f"{n},ann,{95 + 3 * n},125,90,110" for n in range(25)]
    csv.write_text("\n".join(["frame,name,x,y,width,height", *rows]))
    assert len(read_truth(csv)) == 25
    report = tmp_path / "report.json"
    assert main([str(bag), "--recompute", "overlay", "--truth", str(csv), "--report", str(report),
                 "--set", "perception.target=ann"]) == 0  # fmt: skip
    figures = json.loads(report.read_text())["score"]
    assert figures["recognised"] == figures["faces_found"] == 1.0 and figures["wrong_identity"] == 0


def test_damaged_picture_says_where(tmp_path: Path) -> None:
    store = get_typestore(Stores.ROS2_HUMBLE)
    path = tmp_path / "bad"
    with Writer(path, version=9) as writer:
        connection = writer.add_connection("/c/compressed", "sensor_msgs/msg/CompressedImage", typestore=store)
        writer.write(connection, 1, serialize_message(CompressedImage(format="jpeg", data=b"not a jpeg")))
    with pytest.raises(RecordingError, match="cannot be decoded"):
        list(open_source(path).frames())
