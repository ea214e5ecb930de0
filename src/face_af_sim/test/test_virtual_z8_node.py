"""The driver node against the virtual Z8."""

# ruff: noqa: E402

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not there")
pytest.importorskip("face_af_msgs.msg", reason="the workspace is not built")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rosgraph_msgs.msg import Clock
from std_srvs.srv import Trigger

from face_af_common.qos import RESULT, STATUS
from face_af_common.runtime import StartError
from face_af_common.types import ActionKind
from face_af_msgs.msg import CameraStatus, SteeringCommand, SteeringState
from face_af_msgs.srv import Press, Shutter
from face_af_sim.virtual_z8 import PtpIpServer, VirtualZ8
from face_af_sim.virtual_z8.recording import RecordingBody
from nikon_mcn10_driver.node import DriverNode

PROFILE = str(Path(__file__).parents[3] / "config" / "remote" / "virtual_z8.yaml")


def until(condition, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


class Graph:
    """A driver node and a test node, spun in threads of their own."""

    def __init__(self, **params: object) -> None:
        arguments = ["--ros-args", "-p", f"profile:={PROFILE}"]
        for name, value in params.items():
            arguments += ["-p", f"{name}:={value}"]
        rclpy.init(args=arguments, domain_id=random.randrange(100, 200))
        try:
            self.driver = DriverNode()
        except BaseException:
            rclpy.shutdown()
            raise
        self.probe = rclpy.create_node("probe")
        self.statuses: list[CameraStatus] = []
        self.diagnostics: list[DiagnosticArray] = []
        self.probe.create_subscription(CameraStatus, "camera_status", self.statuses.append, STATUS)
        self.probe.create_subscription(DiagnosticArray, "/diagnostics", self.diagnostics.append, 10)
        self.commands = self.probe.create_publisher(SteeringCommand, "command", RESULT)
        self.states = self.probe.create_publisher(SteeringState, "state", RESULT)
        self.clock = self.probe.create_publisher(Clock, "/clock", 10)
        self.threads = []
        self.executors = []
        for node in (self.driver, self.probe):
            executor = SingleThreadedExecutor()
            executor.add_node(node)
            thread = threading.Thread(target=executor.spin, daemon=True)
            thread.start()
            self.executors.append(executor)
            self.threads.append(thread)
        until(lambda: self.commands.get_subscription_count() and self.states.get_subscription_count())
        if params.get("use_sim_time"):
            until(lambda: self.clock.get_subscription_count())
            self.tick(100)

    @property
    def status(self) -> CameraStatus:
        return self.statuses[-1] if self.statuses else CameraStatus()

    def send(self, number: int, action: ActionKind = ActionKind.LEFT, age: float = 0.0) -> None:
        message = SteeringCommand(id=number, action=int(action))
        ns = self.driver.now_ns() - int(age * 1e9)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(ns, 10**9)
        self.commands.publish(message)

    def tick(self, seconds: int) -> None:
        """Sets the simulated clock, which then stands still: no command grows old on a busy machine."""
        message = Clock()
        message.clock.sec = seconds
        self.clock.publish(message)
        until(lambda: self.driver.now_ns() == seconds * 10**9)

    def call(self, kind, name: str, **fields: object):
        client = self.probe.create_client(kind, name)
        assert client.wait_for_service(10)
        future = client.call_async(kind.Request(**fields))
        until(future.done)
        return future.result()

    def close(self) -> None:
        for executor in self.executors:
            executor.shutdown()
        for thread in self.threads:
            thread.join(5)
        self.driver.close()
        self.driver.destroy_node()
        self.probe.destroy_node()
        rclpy.shutdown()


@pytest.fixture
def graph():
    graphs = []

    def make(**params: object) -> Graph:
        graphs.append(Graph(**params))
        return graphs[-1]

    yield make
    for one in graphs:
        one.close()


@pytest.fixture
def server():
    body = RecordingBody()
    server = PtpIpServer(VirtualZ8(body), port=0)
    server.body = body
    server.start()
    yield server
    server.stop()


def test_commands_reach_the_camera_and_are_answered_for(graph, server):
    g = graph(transport="ptpip", port=server.port, use_sim_time=True)
    until(lambda: g.status.connected)
    assert (g.status.model, g.status.serial, g.status.transport) == ("Z 8", "SIM0000451", "ptpip")
    g.send(1, ActionKind.RIGHT)
    until(lambda: g.status.last_command_id == 1)
    assert [kind for _, kind in server.body.presses] == [ActionKind.RIGHT]
    assert g.status.sent == 1 and 0 < g.status.command_latency_ms < 1000
    g.send(2, age=5.0)
    until(lambda: g.status.last_command_id == 2)
    assert (g.status.sent, g.status.dropped_stale, len(server.body.presses)) == (1, 1, 1)
    until(lambda: any(s.hardware_id == "SIM0000451" for d in g.diagnostics for s in d.status))


def test_age_is_measured_with_the_systems_clock(graph, server):
    g = graph(transport="ptpip", port=server.port)
    until(lambda: g.status.connected)
    g.send(1, age=5.0)
    until(lambda: g.status.last_command_id == 1)
    assert (g.status.sent, g.status.dropped_stale, server.body.presses) == (0, 1, [])


def test_success_flushes(graph, server):
    g = graph(transport="ptpip", port=server.port)
    flushed = []
    g.driver.link.flush = flushed.append
    state = SteeringState(state=SteeringState.STEERING)
    g.states.publish(state)
    state.state = SteeringState.ON_TARGET
    state.header.stamp.sec = 12
    g.states.publish(state)
    until(lambda: flushed)
    assert flushed == [12 * 10**9]


def test_services(graph, server):
    g = graph(transport="ptpip", port=server.port)
    until(lambda: g.status.connected)
    answer = g.call(Press, "press", button="fn1")
    assert answer.success and [kind for _, kind in server.body.presses] == [ActionKind.FN1]
    answer = g.call(Press, "press", button="shutter")
    assert not answer.success and "left, right" in answer.message
    assert g.call(Trigger, "reconnect").success
    until(lambda: g.status.reconnects == 1 and g.status.connected)
    assert g.status.last_command_id == 0


def test_the_shutter_answers_at_once_and_counts(graph, server):
    g = graph(transport="ptpip", port=server.port)
    until(lambda: g.status.connected)
    answer = g.call(Shutter, "shutter", count=2, gap=0.1)
    assert answer.success and answer.message == "begun: 2 images"
    until(lambda: server.camera.images == 2 and not server.camera.shutter_down)
    answer = g.call(Shutter, "shutter", count=11, gap=0.1)
    assert not answer.success and "1 to 10 images" in answer.message
    figures = lambda: {v.key: v.value for d in g.diagnostics for s in d.status for v in s.values}  # noqa: E731
    until(lambda: figures().get("images") == "2")
    assert g.status.sent == 0 and server.body.presses == []


def test_a_camera_that_comes_back(graph, server):
    g = graph(transport="ptpip", port=server.port, use_sim_time=True)
    until(lambda: g.status.connected)
    server.stop()
    until(lambda: not g.status.connected and g.status.last_error)
    g.send(1)
    until(lambda: g.status.last_command_id == 1)
    assert g.status.failed == 1
    server.start()
    until(lambda: g.status.connected)
    g.send(2)
    until(lambda: g.status.last_command_id == 2)
    assert g.status.sent == 1 and g.status.last_error == ""


def test_a_wrong_port_is_a_state_and_no_end(graph):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    g = graph(transport="ptpip", port=port, use_sim_time=True)
    until(lambda: f"no camera at 127.0.0.1:{port}" in g.status.last_error)
    g.send(1)
    until(lambda: g.status.last_command_id == 1)
    assert (g.status.connected, g.status.sent, g.status.failed) == (False, 0, 1)
    answer = g.call(Press, "press", button="left")
    assert not answer.success and "no camera at" in answer.message
    until(lambda: any(s.level == DiagnosticStatus.ERROR for d in g.diagnostics for s in d.status))
    server = PtpIpServer(VirtualZ8(RecordingBody()), port=port)
    server.start()
    try:
        until(lambda: g.status.connected)
        assert g.call(Press, "press", button="left").success
    finally:
        server.stop()


def test_age_is_measured_with_a_simulated_clock(graph, server):
    g = graph(transport="ptpip", port=server.port, use_sim_time=True)
    until(lambda: g.status.connected)
    g.send(1)
    until(lambda: g.status.last_command_id == 1)
    assert g.status.sent == 1
    g.tick(101)
    g.send(2, age=1.0)
    until(lambda: g.status.last_command_id == 2)
    assert (g.status.sent, g.status.dropped_stale) == (1, 1)


@pytest.mark.parametrize(("transport", "sent", "failed"), [("dry_run", 1, 0), ("none", 0, 1)])
def test_without_a_camera(graph, transport, sent, failed):
    g = graph(transport=transport, use_sim_time=True)
    until(lambda: g.status.transport == transport and (g.status.connected or transport == "none"))
    g.send(5)
    until(lambda: g.status.last_command_id == 5)
    assert (g.status.sent, g.status.failed, g.status.dry_run) == (sent, failed, transport == "dry_run")


def test_an_unknown_profile_stops_the_start():
    with pytest.raises(StartError, match="nothing_of_the_kind"):
        Graph(transport="ptpip", profile="nothing_of_the_kind")


def test_a_broken_profile_stops_the_start(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("buttons: [left")
    with pytest.raises(StartError, match=r"broken\.yaml, line 1: broken YAML"):
        Graph(transport="ptpip", profile=broken)


def run_driver(*params: str) -> subprocess.Popen:
    command = [
        sys.executable,
        "-c",
        "import sys; from face_af_common.executables import nikon_mcn10; sys.exit(nikon_mcn10())",
        "--ros-args",
    ]
    for param in params:
        command += ["-p", param]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(random.randrange(100, 200))}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    "params", [("transport:=carrier_pigeon",), ("transport:=dry_run", "prot:=1"), ("port:=99999",)]
)
def test_a_users_mistake_is_one_line(params):
    process = run_driver(*params)
    _, text = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "Traceback" not in text and len([line for line in text.splitlines() if "FATAL" in line]) == 1


def test_ctrl_c_ends_it_soon(server):
    process = run_driver("transport:=ptpip", f"port:={server.port}", f"profile:={PROFILE}")
    until(lambda: server.camera.attached, 30)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=10)
    assert process.returncode == 0 and "Traceback" not in text
    assert time.monotonic() - started < 5
    assert not server.camera.attached, "the grip was detached"
