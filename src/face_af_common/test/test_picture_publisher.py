"""A camera's pictures, raw and as JPEG."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from face_af_common import picture_publisher, qos
from face_af_common.images import from_bgr, to_jpeg
from face_af_common.picture_publisher import PicturePublisher
from face_af_common.stamps import from_ns


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(100 + os.getpid() % 100))
    rclpy.init(args=["--ros-args", "-r", "__ns:=/ns", "-r", "image_raw:=hdmi"])
    node = rclpy.create_node("camera")
    yield node
    node.destroy_node()
    rclpy.try_shutdown()


def picture() -> np.ndarray:
    noise = np.random.default_rng(1)
    return cv2.resize(noise.integers(0, 255, (9, 16, 3), np.uint8), (320, 180), interpolation=cv2.INTER_CUBIC)


def wait(executor: SingleThreadedExecutor, condition: Any) -> None:
    end = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end
        executor.spin_once(timeout_sec=0.05)


def test_a_jpeg_is_made_only_while_somebody_listens(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(*args: Any) -> CompressedImage:
        made.append(args[2])
        return to_jpeg(*args)

    monkeypatch.setattr(picture_publisher, "to_jpeg", counted)
    publisher = PicturePublisher(node)
    assert not publisher.watched
    image = from_bgr(picture(), Header(stamp=from_ns(7), frame_id="camera"))
    publisher.publish(image)
    assert made == []
    raw: list[Image] = []
    jpegs: list[CompressedImage] = []
    node.create_subscription(Image, "/ns/hdmi", raw.append, qos.IMAGE)
    best_effort = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    viewer = node.create_subscription(CompressedImage, "/ns/hdmi/compressed", jpegs.append, best_effort)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    wait(executor, lambda: publisher.raw.get_subscription_count() and publisher.compressed.get_subscription_count())
    assert publisher.watched
    publisher.quality = 95
    publisher.publish(image)
    wait(executor, lambda: raw and jpegs)
    assert made == [95]
    assert jpegs[0].header == raw[0].header == image.header
    assert jpegs[0].format == "bgr8; jpeg compressed bgr8"
    shown = cv2.imdecode(np.frombuffer(jpegs[0].data, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown.astype(int) - picture()).mean() < 3
    node.destroy_subscription(viewer)
    wait(executor, lambda: publisher.compressed.get_subscription_count() == 0)
    publisher.publish(image)
    assert len(made) == 1
    executor.shutdown()


def test_quality_is_bought_with_bytes() -> None:
    sizes = [len(to_jpeg(picture(), Header(), quality).data) for quality in (40, 85, 95)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]


def test_a_viewer_that_wants_reliable_images_can_have_them(node: Node) -> None:
    assert PicturePublisher(node).raw.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    override = Parameter("qos_overrides./ns/hdmi.publisher.reliability", value="reliable")
    other = rclpy.create_node("other", parameter_overrides=[override])
    assert PicturePublisher(other).raw.qos_profile.reliability == ReliabilityPolicy.RELIABLE
    other.destroy_node()
