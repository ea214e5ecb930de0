"""The capture node in a graph."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from sensor_msgs.msg import CompressedImage, Image

from face_af_capture.node import CaptureNode
from face_af_capture.params import CaptureNodeParams
from face_af_common import qos
from face_af_common.images import to_bgr
from face_af_common.params import ParamError, build, describe
from face_af_common.stamps import to_ns
from face_af_msgs.msg import AfOverlay, FaceArray, FrameOrientation

Started = Callable[..., "Graph"]


class Graph:
    def __init__(self, **parameters: object) -> None:
        words = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
        rclpy.init(args=["--ros-args", *words] if words else [])
        self.node = CaptureNode()
        self.images: list[Image] = []
        self.health: list[DiagnosticStatus] = []
        listener = rclpy.create_node("listener")
        listener.create_subscription(Image, "image_raw", self.images.append, qos.IMAGE)
        listener.create_subscription(DiagnosticArray, "/diagnostics", lambda m: self.health.extend(m.status), 10)
        self.listen = listener.create_subscription
        self.publisher = lambda kind, topic: listener.create_publisher(kind, topic, qos.RESULT)
        self._nodes = [self.node, listener]
        self._executor = SingleThreadedExecutor()
        for node in self._nodes:
            self._executor.add_node(node)

    def until(self, condition: Callable[[], object], timeout: float = 20.0) -> None:
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, [status.message for status in self.health]
            self._executor.spin_once(timeout_sec=0.05)

    def close(self) -> None:
        self.node.close()
        self._executor.shutdown()
        for node in self._nodes:
            node.destroy_node()
        rclpy.try_shutdown()


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(100 + os.getpid() % 100))
    graphs: list[Graph] = []

    def make(**parameters: object) -> Graph:
        graphs.append(Graph(**parameters))
        return graphs[-1]

    yield make
    for graph in graphs:
        graph.close()


def test_a_folder_that_comes_later_is_published(start: Started, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    graph = start(source="folder", device=folder, loop=True, rate=20.0, frame_id="hdmi", retry_max_s=0.3)
    graph.until(lambda: any(status.level == DiagnosticStatus.ERROR for status in graph.health))
    assert graph.health[-1].message == f"there is no folder {folder}"
    pixels = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), pixels)
    graph.until(lambda: len(graph.images) >= 3)
    image = graph.images[-1]
    assert (image.width, image.height, image.encoding, image.header.frame_id) == (64, 48, "bgr8", "hdmi")
    assert np.array_equal(np.frombuffer(image.data, np.uint8).reshape(48, 64, 3), pixels)
    stamps = [to_ns(image.header.stamp) for image in graph.images]
    assert stamps == sorted(set(stamps))
    assert abs(time.time_ns() - stamps[-1]) < 5e9
    graph.until(lambda: graph.health[-1].level == DiagnosticStatus.OK)


def test_parameters_are_live(start: Started, tmp_path: Path) -> None:
    for name, size in (("small", 32), ("large", 128)):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "a.png"), np.zeros((size, size, 3), np.uint8))
    graph = start(source="folder", device=tmp_path / "small", loop=True)
    graph.until(lambda: graph.images)
    result = graph.node.set_parameters([Parameter("device", value=str(tmp_path / "large"))])[0]
    assert result.successful
    graph.until(lambda: graph.images[-1].width == 128)
    assert not graph.node.set_parameters([Parameter("source", value="telescope")])[0].successful


def test_frames_are_turned_upright_live(start: Started, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    graph = start(source="folder", device=tmp_path, loop=True, rate=20.0, rotate=90)
    jpegs: list[CompressedImage] = []
    graph.listen(CompressedImage, "image_raw/compressed", jpegs.append, qos.COMPRESSED)
    told: list[FrameOrientation] = []
    graph.listen(FrameOrientation, "frame_orientation", told.append, qos.STATUS)
    graph.until(lambda: graph.images and jpegs and told)
    assert (told[0].rotate, told[0].flip) == (90, "none")
    assert np.array_equal(to_bgr(graph.images[-1]), cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE))
    assert cv2.imdecode(np.frombuffer(jpegs[-1].data, np.uint8), cv2.IMREAD_COLOR).shape == (64, 48, 3)
    changes = [Parameter("rotate", value=180), Parameter("flip", value="horizontal")]
    assert all(result.successful for result in graph.node.set_parameters(changes))
    graph.until(lambda: np.array_equal(to_bgr(graph.images[-1]), pixels[::-1]))
    graph.until(lambda: (told[-1].rotate, told[-1].flip) == (180, "horizontal"))
    assert not graph.node.set_parameters([Parameter("rotate", value=45)])[0].successful


def test_a_file_plays_when_perception_and_overlay_have_answered(start: Started, tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((8, 8, 3), number, np.uint8))
    graph = start(source="folder", device=tmp_path, rate=20.0, wait=True)
    answers = [graph.publisher(FaceArray, "faces"), graph.publisher(AfOverlay, "af_overlay")]
    graph.until(lambda: len(graph.images) >= 3)
    graph.until(lambda: graph.health and "waiting for perception and overlay" in graph.health[-1].message)
    assert {int(to_bgr(image)[0, 0, 0]) for image in graph.images} == {0}
    for publisher, message in zip(answers, (FaceArray, AfOverlay), strict=True):
        publisher.publish(message(header=graph.images[-1].header))
    graph.until(lambda: {int(to_bgr(image)[0, 0, 0]) for image in graph.images} == {0, 1, 2})


def test_the_quality_of_the_jpegs_is_live_and_leaves_the_source_open(start: Started, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), noise)
    graph = start(source="folder", device=tmp_path, loop=True, rate=20.0)
    jpegs: list[CompressedImage] = []
    graph.listen(CompressedImage, "image_raw/compressed", jpegs.append, qos.COMPRESSED)
    graph.until(lambda: jpegs and graph.images)
    grabber = graph.node.grabber
    fine = len(jpegs[-1].data)
    assert graph.node.set_parameters([Parameter("jpeg_quality", value=20)])[0].successful
    graph.until(lambda: len(jpegs[-1].data) < 0.6 * fine)
    assert graph.node.grabber is grabber
    assert {to_ns(m.header.stamp) for m in jpegs} & {to_ns(m.header.stamp) for m in graph.images}


def test_an_ended_video_is_no_fault(start: Started, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    graph = start(source="folder", device=tmp_path)
    graph.until(lambda: graph.health and "has ended after 1 frames" in graph.health[-1].message)
    assert graph.health[-1].level == DiagnosticStatus.OK


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"pixel_format": "YUV"}, "no four-character code"),
        ({"width": 0}, "give both"),
        ({"device": " "}, "device: empty"),
        ({"source": "x"}, "v4l2"),
        ({"rate": -1.0}, "rate"),
        ({"rotate": 45}, "rotate: 45 is none of 0, 90, 180, 270"),
        ({"flip": "sideways"}, "flip"),
    ],
)
def test_contradictions_are_refused(values: dict[str, object], text: str) -> None:
    with pytest.raises(ParamError, match=text):
        build(CaptureNodeParams, values)


def test_every_parameter_is_described() -> None:
    assert all(info.description for info in describe(CaptureNodeParams))
