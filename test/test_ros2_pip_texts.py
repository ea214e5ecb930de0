"""tools/ros2_pip: what the `ros2` command reads, shows and completes; no graph is needed."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml
from processes import uses_stand_in

if not uses_stand_in():
    pytest.skip("a real ROS 2 is used here", allow_module_level=True)

from ros2_pip.bag_info import size_text
from ros2_pip.completion import candidates
from ros2_pip.main import CommandError, main
from ros2_pip.messages import Shown, definition, fill, load_type, type_hash
from ros2_pip.param_command import read_parameter_file
from ros2_pip.topic_measure import bw_text, delay_text, hz_table, hz_text
from std_msgs.msg import Header

from face_af_msgs.msg import AfOverlay, FaceArray


def test_messages_as_text() -> None:
    message = AfOverlay(width=3)
    assert yaml.safe_load(Shown().text(message))["width"] == 3
    long = Shown(limit=3)
    assert long.plain([1, 2, 3, 4]) == [1, 2, 3, "..."]
    assert long.plain("abcd") == "abc..."
    assert Shown(no_str=True).plain("abcd") == "<string length: <4>>"
    assert Shown().csv(Header(frame_id="f")) == "0,0,f"


def test_requests_are_filled_and_checked() -> None:
    array = fill(FaceArray(), {"header": {"frame_id": "x"}, "faces": [{"box": {"x": 2}}], "inference_ms": 1})
    assert (array.header.frame_id, array.faces[0].box.x, array.inference_ms) == ("x", 2.0, 1.0)
    for values, text in (({"nope": 1}, "no field nope"), ([1], "a dictionary")):
        with pytest.raises(CommandError, match=text):
            fill(FaceArray(), values)
    with pytest.raises(CommandError, match="invalid or not built"):
        load_type("std_msgs/msg/Nope", "msg")


def test_definitions_hold_everything_that_is_nested() -> None:
    text = definition("face_af_msgs/msg/FaceArray")
    parts = [line for line in text.splitlines() if line.startswith("MSG: ")]
    assert sorted(parts) == [
        "MSG: builtin_interfaces/Time",
        "MSG: face_af_msgs/BoundingBox",
        "MSG: face_af_msgs/Face",
        "MSG: std_msgs/Header",
    ]
    assert type_hash("face_af_msgs/msg/FaceArray").startswith("RIHS01_")


def test_rates_as_text() -> None:
    assert hz_text([0.0, 0.1, 0.3]) == "average rate: 6.667\n\tmin: 0.100s max: 0.200s std dev: 0.05000s window: 2"
    table = hz_table({"/a": [0.0, 0.1, 0.3], "/long/name": [0.0, 1.0]}).splitlines()
    assert table[2].split() == ["/a", "6.667", "0.100", "0.200", "0.05000", "2"]
    assert table[0].index("rate") == table[3].index("1.000")
    assert bw_text([(0.0, 100), (1.0, 300)], 2.0) == (
        "200 B/s from 2 messages\n\tMessage size mean: 200 B min: 100 B max: 300 B"
    )
    assert delay_text([0.1, 0.3]) == "average delay: 0.200\n\tmin: 0.100s max: 0.300s std dev: 0.10000s window: 2"


def test_unknown_words_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for words, told in (
        (["topics"], "'topics' is not supplied; did you mean 'topic'?"),
        (["topic", "ech", "/a"], "'ech' is not supplied; did you mean 'echo'?"),
        (["topic", "hz", "/a", "--windo=3", "--wall-tiem"], "did you mean '--wall-time'?"),
        (["bag", "record", "--compression-mode", "file"], "'--compression-mode' is not supplied"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(words)
        said = capsys.readouterr().err
        assert ended.value.code == 2
        assert told in said and "needs an installed ROS 2" in said, said


def test_interfaces_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interface", "show", "face_af_msgs/msg/AfOverlay", "--no-comments"]) == 0
    shown = capsys.readouterr().out
    assert "std_msgs/Header header\n\tbuiltin_interfaces/Time stamp\n\t\tint32 sec\n" in shown
    assert "AfBox[] boxes\n\tuint8 NONE=0" in shown and "#" not in shown
    assert main(["interface", "package", "face_af_msgs", "-s"]) == 0
    assert "face_af_msgs/srv/SetTarget" in capsys.readouterr().out.splitlines()
    assert main(["interface", "list", "-m"]) == 0
    assert "    std_msgs/msg/Header" in capsys.readouterr().out.splitlines()
    assert main(["interface", "show", "face_af_msgs/msg/AfOverly"]) == 1
    assert "did you mean 'face_af_msgs/msg/AfOverlay'?" in capsys.readouterr().err


def test_completion() -> None:
    assert candidates(["to"]) == ["topic"]
    assert candidates(["topic", "e"]) == ["echo"]
    assert candidates(["topic", "list", "--show"]) == ["--show-types"]
    assert "face_af_msgs/srv/SetTarget" in candidates(["interface", "show", "face_af_msgs/"])
    assert candidates(["run", "face_af_steering", "s"]) == ["steering"]
    assert candidates(["launch", "face_af", "br"]) == ["bringup.launch.py"]


def test_sizes_as_text() -> None:
    assert [size_text(size) for size in (0, 1023, 1536, 3 << 30)] == ["0 B", "1023 B", "1.5 KiB", "3.0 GiB"]


def test_parameter_files(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        textwrap.dedent(
            """
            /**: {ros__parameters: {a: 1, b: {c: 2}}}
            node: {ros__parameters: {a: 3}}
            /ns/node: {ros__parameters: {a: 4}}
            """
        )
    )
    assert read_parameter_file(str(path), "/ns/node", True) == {"a": 4, "b.c": 2}
    assert read_parameter_file(str(path), "/other/node", False) == {"a": 3}
    with pytest.raises(CommandError, match="nothing for /x"):
        read_parameter_file(str(path), "/x", False)
    path.write_text("{broken")
    with pytest.raises(CommandError, match=r"p\.yaml"):
        read_parameter_file(str(path), "/x", True)
