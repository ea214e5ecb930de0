"""The debug view receives nothing while nobody looks, and starts and stops with its viewers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image

from face_af_common import qos
from face_af_common.ros_domain import claim_domain
from face_af_view.debug_view_node import DebugViewNode

INPUTS = ("image_raw", "faces", "af_overlay", "state")


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[SingleThreadedExecutor]:
    monkeypatch.setitem(os.environ, "ROS_DOMAIN_ID", str(claim_domain()))
    rclpy.init(args=[])
    yield SingleThreadedExecutor()
    rclpy.try_shutdown()


def until(executor: SingleThreadedExecutor, condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        executor.spin_once(timeout_sec=0.05)
    return True


@pytest.mark.timeout(120)
def test_nothing_is_received_while_nobody_looks(executor: SingleThreadedExecutor) -> None:
    node, viewer = DebugViewNode(), rclpy.create_node("viewer")
    executor.add_node(node)
    executor.add_node(viewer)

    def heard() -> int:
        return sum(node.count_subscribers(topic) for topic in INPUTS)

    assert not until(executor, lambda: heard() > 0, 1.0)
    for _ in range(2):
        looking = viewer.create_subscription(Image, "debug/image", lambda _: None, qos.IMAGE)
        assert until(executor, lambda: heard() == len(INPUTS))
        viewer.destroy_subscription(looking)
        assert until(executor, lambda: heard() == 0)
    node.destroy_node()
    viewer.destroy_node()
