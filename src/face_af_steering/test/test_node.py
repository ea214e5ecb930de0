"""The node in a graph of its own: joins, counts, answers services, tells why it does nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from face_af_common.conversions import af_boxes_to_msg, face_to_msg
from face_af_common.qos import RESULT, STATUS
from face_af_common.stamps import from_ns, to_ns
from face_af_common.types import AfBox, AfState, Box, Face
from face_af_msgs.msg import AfOverlay, CameraStatus, FaceArray, SteeringCommand, SteeringState
from face_af_msgs.srv import SetRecipe
from face_af_steering.node import SteeringNode

_NAMES = ("anna", "ben", "carla")


class Graph:
    """The node, and another that plays everybody else."""

    def __init__(self) -> None:
        self.steering = SteeringNode()
        self.other = Node("others")
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.steering)
        self.executor.add_node(self.other)
        self.commands: list[SteeringCommand] = []
        self.states: list[SteeringState] = []
        self.order: list[str] = []
        self.faces = self.other.create_publisher(FaceArray, "faces", RESULT)
        self.overlay = self.other.create_publisher(AfOverlay, "af_overlay", RESULT)
        self.camera = self.other.create_publisher(CameraStatus, "camera_status", STATUS)
        self.other.create_subscription(SteeringCommand, "command", self.commands.append, RESULT)
        self.other.create_subscription(SteeringState, "state", self.states.append, RESULT)
        self.stamp = 1_000_000_000_000
        self.until(lambda: self.faces.get_subscription_count() and self.steering.count_subscribers("state"))

    def until(self, done: Callable[[], Any], seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, "nothing came"
            self.executor.spin_once(timeout_sec=0.05)

    def send(self, chosen: int = 0, target: str = "carla", again: bool = False, unknown: bool = False) -> None:
        """One frame with three faces; waits for its state."""
        if not again:
            self.stamp += 33_000_000
        places = [Box(300.0 * i, 300, 80, 100) for i in range(3)]
        found = FaceArray(width=1920, height=1080, target=target, target_unknown=unknown)
        found.header.stamp = from_ns(self.stamp)
        found.header.frame_id = "camera"
        found.faces = [
            face_to_msg(Face(i + 1, box, is_target=_NAMES[i] == target, similarity=0.6, identity=_NAMES[i]))
            for i, box in enumerate(places)
        ]
        overlay = AfOverlay(header=found.header, width=1920, height=1080)
        overlay.boxes = af_boxes_to_msg(
            AfBox(AfState.TRACKED if i == chosen else AfState.DETECTED, box) for i, box in enumerate(places)
        )
        count = len(self.states)
        self.overlay.publish(overlay)
        self.faces.publish(found)
        self.until(lambda: len(self.states) > count)
        assert len(self.states) == count + 1

    def call(self, kind: type, name: str, request: Any) -> Any:
        client = self.other.create_client(kind, name)
        assert client.wait_for_service(10.0)
        future = client.call_async(request)
        self.until(future.done)
        return future.result()

    def close(self) -> None:
        self.executor.shutdown()
        self.steering.destroy_node()
        self.other.destroy_node()


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[Graph]:
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("ROS_LOCALHOST_ONLY", "1")
    rclpy.init(args=["--ros-args", "-r", "__ns:=/steering_test"], domain_id=1 + os.getpid() % 100)
    graph = Graph()
    yield graph
    graph.close()
    rclpy.shutdown()


def test_a_target_that_nobody_is_enrolled_for_is_the_reason(graph: Graph) -> None:
    graph.send(target="zoe", unknown=True)
    assert graph.states[-1].reason == "nobody is enrolled as zoe"
    graph.send(target="zoe")
    assert graph.states[-1].reason == "the target is not in the picture"


def test_a_command_and_exactly_one_state_for_each_frame(graph: Graph) -> None:
    for _ in range(4):
        graph.send()
    assert [to_ns(s.header.stamp) for s in graph.states] == [graph.stamp - 33_000_000 * k for k in (3, 2, 1, 0)]
    assert len(graph.commands) == 1
    command = graph.commands[0]
    assert (command.id, command.action, command.header.frame_id) == (1, SteeringCommand.RIGHT, "camera")
    at = next(s for s in graph.states if s.header.stamp == command.header.stamp)
    assert (at.presses, at.last_command_id, at.state) == (1, 1, SteeringState.STEERING)
    assert at.target == "carla" and at.target_track_id == 3 and at.focus_track_id == 1 and at.reason
    # the same frame again: the same answer, nothing new
    graph.send(again=True)
    assert graph.states[-1] == graph.states[-2] and len(graph.commands) == 1


def test_a_clock_that_jumps_back_goes_on(graph: Graph) -> None:
    graph.send()
    graph.stamp -= 60_000_000_000
    graph.send()
    assert len(graph.states) == 2


def test_no_presses_without_a_camera(graph: Graph) -> None:
    graph.camera.publish(CameraStatus(connected=False, transport="usb", last_error="no such device"))
    graph.until(lambda: graph.steering._camera is not None)
    for _ in range(4):
        graph.send()
    assert not graph.commands
    assert graph.states[-1].state == SteeringState.IDLE and "no such device" in graph.states[-1].reason
    graph.camera.publish(CameraStatus(connected=False, transport="dry_run", dry_run=True))
    graph.until(lambda: graph.steering._camera.dry_run)
    graph.send()
    assert len(graph.commands) == 1


def test_what_was_measured_with_the_camera_holds_from_the_first_press(graph: Graph) -> None:
    graph.send()
    guess = graph.states[-1].response_ms
    graph.camera.publish(
        CameraStatus(connected=True, response_ms=310.0, response_spread_ms=20.0, press_loss=0.0, measured_presses=24)
    )
    graph.until(lambda: graph.steering._camera is not None)
    graph.send()
    assert graph.states[-1].response_ms == pytest.approx(310.0, abs=1.0) != guess


def test_a_press_that_the_driver_has_dropped_was_not_lost_by_the_camera(graph: Graph) -> None:
    def status(**fields: int) -> None:
        graph.camera.publish(CameraStatus(connected=True, transport="ptpip", **fields))
        wanted = fields.get("last_command_id", 0)
        graph.until(lambda: graph.steering._camera is not None and graph.steering._camera.last_command_id == wanted)

    status()
    while not graph.commands:
        graph.send()
    status(dropped_stale=1, last_command_id=1)
    for _ in range(8):
        graph.send()
    assert len(graph.commands) == 2, "it is sent again long before it would count as lost"
    assert "lost" not in graph.commands[1].reason


def test_pause_and_resume(graph: Graph) -> None:
    assert graph.call(Trigger, "pause", Trigger.Request()).success
    assert graph.steering.get_parameter("paused").value is True
    for _ in range(3):
        graph.send()
    assert not graph.commands and graph.states[-1].reason == "paused"
    assert graph.call(Trigger, "resume", Trigger.Request()).success
    graph.send()
    assert len(graph.commands) == 1


def test_recipes_choose_the_target(graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / "song.yaml"
    path.write_text("target: [zoe, ben]\n")
    answer = graph.call(SetRecipe, "set_recipe", SetRecipe.Request(recipe=str(path)))
    assert answer.success and "ben" in answer.message
    for _ in range(3):
        graph.send()
    assert graph.states[-1].target == "ben" and graph.states[-1].target_track_id == 2
    path.write_text("tarket: ben\n")
    answer = graph.call(SetRecipe, "set_recipe", SetRecipe.Request(recipe=str(path)))
    assert not answer.success and "line 1" in answer.message
    graph.send()
    assert graph.states[-1].target == "ben"
    assert graph.call(SetRecipe, "set_recipe", SetRecipe.Request()).success
    graph.send()
    assert graph.states[-1].target == "carla"


def test_parameters_are_live(graph: Graph) -> None:
    result = graph.steering.set_parameters([Parameter("yield_s", value=7.5), Parameter("mode", value="af_area")])
    assert all(r.successful for r in result)
    for _ in range(3):
        graph.send()
    assert graph.commands[-1].action == SteeringCommand.AF_AREA and 0.3 < graph.commands[-1].x < 0.4
    assert not graph.steering.set_parameters([Parameter("mode", value="magic")])[0].successful
