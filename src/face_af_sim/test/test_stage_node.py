"""The stage node over DDS: lockstep does what it says, and a show ends by itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy")

from rclpy.context import Context  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402
from std_srvs.srv import SetBool  # noqa: E402

from face_af_common.qos import IMAGE, RESULT, STATUS  # noqa: E402
from face_af_common.stamps import to_ns  # noqa: E402
from face_af_msgs.msg import CameraStatus, SimTruth, SteeringState  # noqa: E402
from nikon_mcn10_driver.session import Session  # noqa: E402
from nikon_mcn10_driver.transport import DeviceGone  # noqa: E402
from nikon_mcn10_driver.transport.ptpip import PtpIpTransport  # noqa: E402

_NODE = """
import sys
import numpy as np
import face_af_sim.node as node
from face_af_common.types import Box
from face_af_sim.cast import Prepared
from face_af_sim.people import Figures
from pathlib import Path

picture = np.zeros((600, 200, 4), np.uint8)
picture[10:160, 40:160] = (120, 150, 210, 255)
picture[160:, 10:190] = (60, 50, 40, 255)
people = tuple(Figures(name, picture, picture, Box(40, 10, 120, 150)) for name in ("anna", "bert", "cleo"))
node.prepare_stage = lambda *args, **kwargs: Prepared(people, "anna", Path())
from face_af_common.executables import stage

sys.exit(stage())
"""


class Others:
    """Steering and driver in one: answers every picture, presses now and then, slow or quick."""

    def __init__(self, domain: int) -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("others", context=self.context, namespace="face_af")
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.stamps: list[int] = []
        self.truths: list[SimTruth] = []
        self.clocks: list[int] = []
        self.commands = 0
        self.answer = True
        self.deliver = True
        self._state = self.node.create_publisher(SteeringState, "state", RESULT)
        self.status = self.node.create_publisher(CameraStatus, "camera_status", STATUS)
        self.status.publish(CameraStatus(dry_run=True))
        self.node.create_subscription(Image, "image_raw", self._on_image, IMAGE)
        self.node.create_subscription(SimTruth, "sim/truth", self.truths.append, RESULT)
        self.node.create_subscription(Clock, "/clock", lambda m: self.clocks.append(to_ns(m.clock)), 10)

    def _on_image(self, image: Image) -> None:
        stamp = to_ns(image.header.stamp)
        if stamp not in self.stamps and len(self.stamps) % 10 == 9:
            self.commands += 1
        self.stamps.append(stamp)
        if self.answer:
            self._state.publish(SteeringState(header=image.header, last_command_id=self.commands))
            if self.deliver:
                self.status.publish(CameraStatus(dry_run=True, last_command_id=self.commands))

    def spin_until(self, done, seconds: float = 30.0) -> None:  # type: ignore[no-untyped-def]
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, "timed out"
            self.executor.spin_once(0.05)

    def switch(self, service: str, on: bool) -> SetBool.Response:
        client = self.node.create_client(SetBool, service)
        self.spin_until(client.service_is_ready)
        answer = client.call_async(SetBool.Request(data=on))
        self.spin_until(answer.done)
        self.node.destroy_client(client)
        return answer.result()

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture
def domain() -> int:
    return 10 + os.getpid() % 90


@pytest.fixture
def others(domain: int) -> Iterator[Others]:
    made = Others(domain)
    yield made
    made.close()


def start(domain: int, *parameters: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _NODE, "--ros-args", "-r", "__ns:=/face_af"]
    for parameter in ("ptpip_port:=-1", "width:=320", "height:=240", "subscribers:=1", *parameters):
        command += ["-p", parameter]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def stop(process: subprocess.Popen[str]) -> str:
    if process.poll() is None:
        process.terminate()
    return process.communicate(timeout=20)[0]


def test_lockstep_shows_every_frame_once_and_ends_with_status_0(others: Others, domain: int) -> None:
    process = start(domain, "clock:=lockstep", "duration:=2.0", "rate:=30.0")
    try:
        others.spin_until(lambda: process.poll() is not None, 60)
        assert process.returncode == 0
    finally:
        output = stop(process)
    frames = sorted(set(others.stamps))
    assert len(frames) == 60, output
    assert np.allclose(np.diff(frames), 1e9 / 30, atol=2)
    assert set(frames) <= set(others.clocks)
    assert {t.target for t in others.truths} == {"anna"}
    assert {to_ns(t.header.stamp) for t in others.truths} == set(frames)
    assert sorted(others.truths[-1].names) == others.truths[-1].names or len(others.truths[-1].names) > 0


def test_lockstep_stands_still_without_an_answer_and_shows_the_same_frame_again(others: Others, domain: int) -> None:
    process = start(domain, "clock:=lockstep")
    try:
        others.spin_until(lambda: len(set(others.stamps)) > 5)
        others.answer = False
        others.spin_until(
            lambda: len(others.stamps) > 8 and others.stamps[-1] == others.stamps[-2] == others.stamps[-3]
        )
        stood = others.stamps[-1]
        others.answer = True
        others.spin_until(lambda: others.stamps[-1] > stood + 5e8)
    finally:
        stop(process)


def test_lockstep_waits_for_the_delivery_of_a_press(others: Others, domain: int) -> None:
    others.deliver = False
    process = start(domain, "clock:=lockstep")
    try:
        others.spin_until(lambda: others.commands == 1)
        count = len(set(others.stamps))
        until = time.monotonic() + 1.0
        others.spin_until(lambda: time.monotonic() > until)
        assert len(set(others.stamps)) == count
        others.deliver = True
        others.status.publish(CameraStatus(dry_run=True, last_command_id=1))
        others.spin_until(lambda: len(set(others.stamps)) > count + 5)
    finally:
        stop(process)


def test_lockstep_waits_for_an_observer_and_shows_it_the_same_frame_again(others: Others, domain: int) -> None:
    seen = others.node.create_publisher(Header, "sim/seen", RESULT)
    process = start(domain, "clock:=lockstep", "observed:=true")
    try:
        others.spin_until(lambda: len(others.stamps) > 2)
        assert len(set(others.stamps)) == 1
        seen.publish(others.truths[-1].header)
        others.spin_until(lambda: len(set(others.stamps)) == 2)
        assert len({to_ns(t.header.stamp) for t in others.truths}) <= 2
    finally:
        stop(process)


def test_real_time_begins_with_the_first_answer(others: Others, domain: int) -> None:
    others.answer = False
    process = start(domain, "duration:=1.5", "rate:=20.0")
    try:
        others.spin_until(lambda: len(others.stamps) >= 8)
        waited = others.stamps[7] - others.stamps[0]
        assert waited > 1.2e9, "a still a few times a second"
        assert len({str(truth.boxes) for truth in others.truths}) == 1
        others.answer = True
        others.spin_until(lambda: process.poll() is not None)
        assert process.returncode == 0
    finally:
        stop(process)
    assert others.stamps[-1] - others.stamps[0] > waited + 1.0e9, "the whole show comes after the answer"


def test_real_time_does_not_wait_for_ever(others: Others, domain: int) -> None:
    others.answer = False
    process = start(domain, "duration:=1.5", "rate:=20.0", "wait_s:=2.0")
    try:
        others.spin_until(lambda: process.poll() is not None, 60)
        assert process.returncode == 0
    finally:
        stop(process)
    assert len(others.stamps) >= 5
    assert others.stamps == sorted(others.stamps)
    assert abs(others.stamps[0] / 1e9 - time.time()) < 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_the_camera_can_be_unplugged_and_plugged_in_again(others: Others, domain: int) -> None:
    port = free_port()
    process = start(domain, f"ptpip_port:={port}", "wait_s:=0.0")
    try:
        others.spin_until(lambda: others.truths != [])
        for _ in range(3):
            session = Session(PtpIpTransport("127.0.0.1", port))
            session.open()
            pulled = others.switch("sim/unplug", True)
            assert pulled.success and pulled.message == "camera: out"
            with pytest.raises(DeviceGone):
                session.poll_events()
            session.close()
            with pytest.raises(DeviceGone, match="no camera at"):
                Session(PtpIpTransport("127.0.0.1", port)).open()
            assert others.switch("sim/unplug", True).success, "once more does nothing"
            back = others.switch("sim/unplug", False)
            assert back.success and back.message == "camera: in"
            session = Session(PtpIpTransport("127.0.0.1", port))
            assert session.open().serial.startswith("SIM"), "at once, on the same port"
            session.close()
        shown = len(others.stamps)
        others.spin_until(lambda: len(others.stamps) > shown)
    finally:
        output = stop(process)
    assert "unplugged by hand: camera" in output and "recovered: everything is plugged in" in output


def test_the_picture_can_be_unplugged_while_the_show_goes_on(others: Others, domain: int) -> None:
    process = start(domain, "wait_s:=0.0")
    try:
        others.spin_until(lambda: others.stamps != [])
        assert others.switch("sim/unplug_capture", True).success
        others.stamps.clear()
        known = len(others.truths)
        others.spin_until(lambda: len(others.truths) > known + 5)
        assert len(others.stamps) <= 2, "only what was on its way"
        assert others.switch("sim/unplug_capture", False).success
        shown = len(others.stamps)
        others.spin_until(lambda: len(others.stamps) > shown + 5)
        without = others.switch("sim/unplug", True)
        assert not without.success and "ptpip_port is -1" in without.message
    finally:
        stop(process)


def test_in_lockstep_the_picture_stays(others: Others, domain: int) -> None:
    process = start(domain, "clock:=lockstep")
    try:
        others.spin_until(lambda: others.stamps != [])
        answer = others.switch("sim/unplug_capture", True)
        assert not answer.success and "lockstep" in answer.message
        shown = len(set(others.stamps))
        others.spin_until(lambda: len(set(others.stamps)) > shown)
    finally:
        stop(process)


def test_a_wrong_parameter_is_one_line_and_status_2(domain: int) -> None:
    process = start(domain, "clock:=sometimes")
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 2
    assert "clock" in output and "Traceback" not in output


def test_no_samples_is_one_line_and_status_2(domain: int, tmp_path: Path) -> None:
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain), "FACE_AF_SAMPLES": str(tmp_path)}
    command = [sys.executable, "-c", "import sys; from face_af_common.executables import stage; sys.exit(stage())"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "fetch_samples" in done.stderr and "Traceback" not in done.stderr
