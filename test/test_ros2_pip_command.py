"""tools/ros2_pip: the `ros2` command, against a node of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from processes import started, uses_stand_in

if not uses_stand_in():
    pytest.skip("a real ROS 2 is used here", allow_module_level=True)

from rcl_interfaces.srv import ListParameters
from ros2_pip.bag_files import open_bag
from ros2_pip.graph import graph

from face_af_common.ros_domain import claim_domain

ROS2 = [sys.executable, "-m", "ros2_pip"]

TALKER = """
import rclpy
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor, SetParametersResult
from rcl_interfaces.srv import ListParameters
from std_msgs.msg import String
from std_srvs.srv import SetBool

rclpy.init()
node = rclpy.create_node("talker", namespace="/ns")
limits = FloatingPointRange(from_value=0.0, to_value=9.0)
node.declare_parameter("gain", 1.5, ParameterDescriptor(description="How much", floating_point_range=[limits]))
node.declare_parameter("group.names", ["a", "b"])
node.declare_parameter("on", True, ParameterDescriptor(read_only=True))
publisher = node.create_publisher(String, "words", 10)
node.create_timer(0.05, lambda: publisher.publish(String(data="hello " + "x" * 200)))

def switch(request, response):
    response.success, response.message = request.data, "switched"
    return response

def list_two(request, response):
    response.result.names = ["one", "two"]
    return response

def lose(*answer):
    absent_minded.send_response = send

node.create_service(SetBool, "switch", switch)
absent_minded = node.create_service(ListParameters, "absent_minded/list_parameters", list_two)
send, absent_minded.send_response = absent_minded.send_response, lose
print("up", flush=True)
try:
    rclpy.spin(node)
except (KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
    pass
"""


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A domain with the node /ns/talker in it."""
    number = str(claim_domain())
    with started(
        [sys.executable, "-c", TALKER], tmp_path_factory.mktemp("talker") / "out", ROS_DOMAIN_ID=number
    ) as run:
        assert run.wait_for("up", 30), run.output()
        yield number


@pytest.fixture
def ros2(domain: str, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Runs ``ros2`` with some words; returns its output, or the last line of its errors where it must fail."""

    def call(*words: str, status: int = 0) -> str:
        environment = {**os.environ, "ROS_DOMAIN_ID": domain}
        if words[:2] in (("topic", "list"), ("topic", "info")):
            # on a busy machine a topic may be discovered later than its node
            for _ in range(4):
                seen = subprocess.run(
                    [*ROS2, "topic", "list"], env=environment, capture_output=True, text=True, timeout=60
                )
                if "/ns/words" in seen.stdout:
                    break
        done = subprocess.run(
            [*ROS2, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        # Fast DDS may complain of shared memory before
        return done.stdout if status == 0 else done.stderr.splitlines()[-1]

    return call


def test_node_and_topic_and_service(ros2) -> None:  # type: ignore[no-untyped-def]
    # discovery takes its time on a busy machine
    assert any(ros2("node", "list").split() == ["/ns/talker"] for _ in range(5))
    info = ros2("node", "info", "/ns/talker").splitlines()
    assert info[:2] == ["/ns/talker", "  Subscribers:"]
    assert "    /ns/words: std_msgs/msg/String" in info
    assert "    /ns/switch: std_srvs/srv/SetBool" in info
    assert "/ns/words [std_msgs/msg/String]" in ros2("topic", "list", "-t").splitlines()
    assert ros2("topic", "info", "/ns/words").split("\n")[:2] == ["Type: std_msgs/msg/String", "Publisher count: 1"]
    assert "Reliability: RELIABLE" in ros2("topic", "info", "ns/words", "-v")
    answer = ros2("service", "call", "/ns/switch", "std_srvs/srv/SetBool", "{data: true}")
    wrong = ros2("service", "call", "/ns/switch", "std_srvs/srv/SetBool", "{data: maybe}", status=1)
    assert wrong == "data: 'maybe' does not fit boolean"
    assert "response:\nstd_srvs.srv.SetBool_Response(success=True, message='switched')" in answer


def test_echo_and_hz(ros2) -> None:  # type: ignore[no-untyped-def]
    assert ros2("topic", "echo", "/ns/words", "--once") == f"data: hello {'x' * 122}...\n---\n"
    assert ros2("topic", "echo", "/ns/words", "--once", "-f", "--field", "data") == f"hello {'x' * 200}\n---\n"
    last = ros2("topic", "echo", "/nothing", "--timeout", "0.5", status=1)
    assert last == "Unknown topic '/nothing'"


def test_hz_until_ctrl_c(domain: str, tmp_path: Path) -> None:
    with started([*ROS2, "topic", "hz", "/ns/words"], tmp_path / "out", ROS_DOMAIN_ID=domain) as run:
        assert run.wait_for("average rate: ", 30), run.output()
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(10) == 130
        assert "Traceback" not in run.output()


def test_parameters(ros2, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert {"  gain", "  group.names", "  on", "  use_sim_time"} <= set(
        ros2("param", "list", "/ns/talker").splitlines()
    )
    assert ros2("param", "get", "ns/talker", "gain") == "Double value is: 1.5\n"
    assert ros2("param", "get", "/ns/talker", "group.names") == "String values are: ['a', 'b']\n"
    assert ros2("param", "set", "/ns/talker", "gain", "2.5") == "Set parameter successful\n"
    assert "(if it is a double, write 3.0)" in ros2("param", "set", "/ns/talker", "gain", "3", status=1)
    assert "Setting parameter failed: " in ros2("param", "set", "/ns/talker", "gain", "10.0", status=1)
    assert ros2("param", "describe", "/ns/talker", "gain").splitlines() == [
        "Parameter name: gain",
        "  Type: double",
        "  Description: How much",
        "  Constraints:",
        "    Min value: 0.0",
        "    Max value: 9.0",
    ]
    dumped = yaml.safe_load(ros2("param", "dump", "/ns/talker"))
    values = dumped["/ns/talker"]["ros__parameters"]
    assert (values["gain"], values["group"]) == (2.5, {"names": ["a", "b"]})
    (tmp_path / "p.yaml").write_text("/**:\n  ros__parameters: {gain: 4.0, group: {names: [c]}}\n")
    loaded = ros2("param", "load", "/ns/talker", "p.yaml")
    assert loaded == "Set parameter gain successful\nSet parameter group.names successful\n"
    assert ros2("param", "get", "/ns/talker", "nope", status=1) == "Parameter not set"
    assert ros2("param", "get", "/nobody", "gain", "--timeout", "0.5", status=1) == "Node not found"


def test_an_answer_that_got_lost_is_asked_for_again(domain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", domain)
    with graph() as g:
        request = ListParameters.Request()
        answer = g.call(ListParameters, "/ns/absent_minded/list_parameters", request, timeout=30.0, repeatable=True)
    assert answer.result.names == ["one", "two"]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_record_and_play(ros2, domain: str, tmp_path: Path, storage: str) -> None:  # type: ignore[no-untyped-def]
    bag = tmp_path / "bag"
    record = [*ROS2, "bag", "record", "/ns/words", "-o", str(bag), "-s", storage]
    with started(record, tmp_path / "record", ROS_DOMAIN_ID=domain) as run:
        assert run.wait_for("Subscribed to topic '/ns/words'", 30), run.output()
        time.sleep(3.0)
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(20) == 0, run.output()
    info = ros2("bag", "info", "bag")
    assert f"Storage id:        {storage}" in info
    assert "Topic: /ns/words | Type: std_msgs/msg/String | Count: " in info
    with open_bag(str(bag)) as reader:
        assert reader.message_count > 0
    other = str(claim_domain())
    echo = [*ROS2, "topic", "echo", "/again", "std_msgs/msg/String", "--once", "--qos-reliability", "best_effort"]
    with started(echo, tmp_path / "echo", ROS_DOMAIN_ID=other) as listener:
        play = [*ROS2, "bag", "play", str(bag), "--loop", "--remap", "/ns/words:=/again"]
        with started(play, tmp_path / "play", ROS_DOMAIN_ID=other) as player:
            assert listener.wait_for("data: hello", 30), player.output()
            player.process.send_signal(signal.SIGINT)
            assert player.process.wait(10) == 0
    assert "exists already" in ros2("bag", "record", "-a", "-o", "bag", status=1)
    assert "nowhere" in ros2("bag", "play", "nowhere", status=1)


def test_run_and_pkg() -> None:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*ROS2, *words], capture_output=True, text=True, timeout=60)

    assert "face_af_capture capture" in call("pkg", "executables", "face_af_capture").stdout.splitlines()
    assert call("pkg", "prefix", "face_af", "--share").stdout.endswith("share/face_af\n")
    assert {"face_af", "face_af_msgs"} <= set(call("pkg", "list").stdout.split())
    missing = call("run", "face_af_capture", "nope")
    assert missing.returncode == 1
    assert missing.stderr.startswith("No executable found: nope")
    assert call("pkg", "prefix", "nope").stderr == "Package not found: nope\n"
    unknown = call("doctor")
    assert unknown.returncode == 2
    assert "'doctor' is not supplied" in unknown.stderr and "needs an installed ROS 2" in unknown.stderr


def test_publish_find_and_measure(ros2, domain: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    talk = [*ROS2, "topic", "pub", "-r", "50", "/stamped", "std_msgs/msg/Header", "{frame_id: here}", "--print", "0"]
    with started(talk, tmp_path / "pub", ROS_DOMAIN_ID=domain) as run:
        assert run.wait_for("beginning loop", 30), run.output()
        assert "frame_id: here" in ros2("topic", "echo", "/stamped", "--once")
        assert ros2("topic", "find", "std_msgs/msg/Header").split() == ["/stamped"]
        for verb, told in (("bw", "B/s from"), ("hz", "average rate: ")):
            words = [*ROS2, "topic", verb, "/stamped"]
            with started(words, tmp_path / verb, ROS_DOMAIN_ID=domain) as measure:
                assert measure.wait_for(told, 30), measure.output()
        both = [*ROS2, "topic", "hz", "/stamped", "/ns/words", "--no-daemon", "--spin-time", "0.5"]
        with started(both, tmp_path / "both", ROS_DOMAIN_ID=domain) as measure:
            assert measure.wait_for("/ns/words   ", 30), measure.output()
    assert ros2("service", "find", "std_srvs/srv/SetBool").split() == ["/ns/switch"]
    assert ros2("service", "info", "/ns/switch").splitlines() == [
        "Type: std_srvs/srv/SetBool",
        "Clients count: 0",
        "Services count: 1",
    ]
