"""Replays offline: the same bytes twice, and one clear line for what cannot be replayed."""

from __future__ import annotations

import json
from pathlib import Path

import bags
import pytest
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import CompressedImage

from face_af_common.conversions import orientation_to_msg
from face_af_common.orientation import Orientation
from face_af_common.types import SteeringStatus
from face_af_recording.bag.bag_folder import TopicInfo
from face_af_recording.bag.definitions import definition
from face_af_recording.recorder.recorder import COMPRESSED_TYPE, BagRecorder, RecorderLimits
from face_af_recording.replay.cli import main
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
        without_pictures(tmp_path / "dark"): "holds no images",
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
        ("--topic", "/other"): "has no images on /other; there are /face_af/image_raw/compressed",
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


def test_turned_frames_are_steered_as_they_were(tmp_path: Path) -> None:
    """The point for the AF area is in the camera's own frame, from the stamp on at which capture turned the frames."""
    folder = tmp_path / "portrait"
    folder.mkdir()
    recorder = BagRecorder(folder, RecorderLimits(sync=False))
    kinds = {"faces": "FaceArray", "af_overlay": "AfOverlay", "frame_orientation": "FrameOrientation"}
    for name, kind in kinds.items():
        text = f"face_af_msgs/msg/{kind}"
        recorder.add_topic(TopicInfo(f"/face_af/{name}", text, definition(text)))
    recorder.add_topic(TopicInfo("/face_af/image_raw/compressed", COMPRESSED_TYPE, definition(COMPRESSED_TYPE)))
    turned = {0: Orientation(180), 10: Orientation()}
    for number, jpeg in enumerate(bags.jpegs(20)):
        image = CompressedImage(header=bags.header(number), format="jpeg", data=jpeg)
        messages = {"image_raw/compressed": image, "faces": bags.faces(number), "af_overlay": bags.overlay(number)}
        if number in turned:
            messages["frame_orientation"] = orientation_to_msg(turned[number], bags.header(number))
        for name, message in messages.items():
            recorder.add(f"/face_af/{name}", bags.stamp(number), serialize_message(message))
    recorder.close()
    parameters = {"steering": {"mode": "af_area", "area_interval_s": 0.02}}
    frames = list(compute(open_source(folder), ["steering"], parameters))
    points = [(number, action.x) for number, frame in enumerate(frames) for action in frame.actions]
    # the face walks through the left quarter of the upright image
    assert {x > 0.5 for number, x in points if number < 10} == {True}
    assert {x > 0.5 for number, x in points if number >= 10} == {False}
