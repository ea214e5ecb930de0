"""The recorder node beside a camera's node: every picture that was sent, and a clear word where none can come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import bags
import cv2
import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import Image

from face_af_common import qos
from face_af_common.frames import FramePublisher
from face_af_common.ros_domain import claim_domain
from face_af_recording.recorder_node import RecorderNode


class Graph:
    """A recorder to ``folder`` and a node ``camera`` beside it."""

    def __init__(self, folder: Path) -> None:
        rclpy.init(args=["--ros-args", "-p", f"folder:={folder}", "-p", "min_free_mb:=0"], domain_id=claim_domain())
        self.recorder = RecorderNode()
        self.camera: Node = rclpy.create_node("camera")
        self.health: list[DiagnosticStatus] = []
        self.camera.create_subscription(DiagnosticArray, "/diagnostics", lambda m: self.health.extend(m.status), 10)
        self._executor = SingleThreadedExecutor()
        for node in (self.recorder, self.camera):
            self._executor.add_node(node)

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 30.0
        while not condition():
            assert time.monotonic() < end, [status.message for status in self.health]
            self._executor.spin_once(timeout_sec=0.05)

    def close(self) -> None:
        self.recorder.close()
        self._executor.shutdown()
        rclpy.try_shutdown()


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    graph = Graph(tmp_path / "bag")
    yield graph
    graph.close()


def test_every_picture_is_recorded_as_it_was_sent(
    graph: Graph, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher = FramePublisher(graph.camera)
    graph.until(lambda: publisher.watched)
    for number in range(60):
        publisher.publish(bags.picture(number), bags.header(number))
        time.sleep(0.01)
    graph.close()
    assert "60 frames" in capsys.readouterr().out
    with AnyReader([tmp_path / "bag"]) as reader:
        (connection,) = (c for c in reader.connections if c.topic == "/image_raw/compressed")
        messages = [reader.deserialize(raw, connection.msgtype) for _, _, raw in reader.messages([connection])]
    stamps = [m.header.stamp.sec * 1_000_000_000 + m.header.stamp.nanosec for m in messages]
    assert stamps == [bags.stamp(number) for number in range(60)]
    shown = cv2.imdecode(messages[59].data, cv2.IMREAD_COLOR)
    assert np.abs(shown.astype(int) - bags.picture(59)).mean() < 2


def test_a_camera_with_raw_pictures_only_is_named(graph: Graph) -> None:
    raw = graph.camera.create_publisher(Image, "image_raw", qos.IMAGE)
    graph.until(lambda: any("frames are not recorded: /image_raw is published" in s.message for s in graph.health))
    assert graph.health[-1].level == DiagnosticStatus.WARN
    graph.camera.destroy_publisher(raw)
    FramePublisher(graph.camera)
    graph.until(lambda: graph.health[-1].message.startswith("recording to "))
    assert graph.health[-1].level == DiagnosticStatus.OK


def test_a_recording_that_fails_at_its_end_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    graph = Graph(tmp_path / "bag")
    monkeypatch.setattr("face_af_recording.recorder.recorder.BagFolder.close", full)
    graph.close()
    assert f"[ERROR] recording has stopped: {tmp_path / 'bag'}: No space left on device" in capfd.readouterr().err
