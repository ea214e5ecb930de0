"""The node in a graph of its own: stamps, repeated frames, live parameters, the debug picture."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

rclpy = pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from face_af_common.images import from_bgr  # noqa: E402
from face_af_common.qos import IMAGE, RESULT  # noqa: E402
from face_af_common.stamps import from_ns, to_ns  # noqa: E402
from face_af_msgs.msg import AfBox, AfOverlay  # noqa: E402
from face_af_overlay import node as node_module  # noqa: E402
from face_af_overlay.node import OverlayNode  # noqa: E402


class Graph:
    """The node, a publisher of pictures, and what the node says."""

    def __init__(self) -> None:
        self.node = OverlayNode()
        self.peer = rclpy.create_node("peer")
        self.overlays: list[AfOverlay] = []
        self.pictures: list[Image] = []
        self.health: list[DiagnosticArray] = []
        self.publisher = self.peer.create_publisher(Image, "image_raw", IMAGE)
        self.peer.create_subscription(AfOverlay, "af_overlay", self.overlays.append, RESULT)
        self.peer.create_subscription(DiagnosticArray, "/diagnostics", self.health.append, RESULT)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.executor.add_node(self.peer)
        self.until(lambda: self.publisher.get_subscription_count() > 0)

    def until(self, done: Callable[[], bool], seconds: float = 10.0) -> bool:
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.05)
        return done()

    def show(self, picture: NDArray[np.uint8], stamp_ns: int) -> AfOverlay:
        count = len(self.overlays)
        self.publisher.publish(from_bgr(picture, Header(stamp=from_ns(stamp_ns), frame_id="hdmi")))
        assert self.until(lambda: len(self.overlays) > count)
        return self.overlays[-1]

    def close(self) -> None:
        self.executor.shutdown()
        self.peer.destroy_node()
        self.node.destroy_node()


@pytest.fixture
def graph() -> Iterator[Graph]:
    os.environ["ROS_DOMAIN_ID"] = str(100 + os.getpid() % 100)
    rclpy.init()
    graph = Graph()
    yield graph
    graph.close()
    rclpy.shutdown()


def test_the_stamp_travels_and_a_repeated_frame_is_answered_alike(
    graph: Graph, background: NDArray[np.uint8], outline: Callable[..., None]
) -> None:
    empty = background.copy()
    outline(background, (700, 400, 90, 90), (245, 245, 245))
    first = graph.show(background, 5_000_000_000)
    assert to_ns(first.header.stamp) == 5_000_000_000 and first.header.frame_id == "hdmi"
    assert (first.width, first.height) == (1920, 1080)
    assert [b.state for b in first.boxes] == [AfBox.TRACKED] and first.boxes[0].id > 0
    assert first.processing_ms > 0
    # the same stamp again: not looked at, whatever is in it
    again = graph.show(empty, 5_000_000_000)
    assert again == first
    # held for a moment, then gone; time that jumps back starts anew
    assert graph.show(empty, 5_033_000_000).boxes[0].id == first.boxes[0].id
    assert list(graph.show(empty, 5_500_000_000).boxes) == []
    assert graph.show(background, 1_000_000_000).boxes[0].id != first.boxes[0].id


def test_parameters_are_live_and_checked_together(
    graph: Graph, background: NDArray[np.uint8], outline: Callable[..., None]
) -> None:
    outline(background, (700, 400, 90, 90), (180, 180, 180))
    assert graph.show(background, 1_000_000_000).boxes[0].state == AfBox.DETECTED
    (refused,) = graph.node.set_parameters([Parameter("colour.white_min", value=60.0)])
    assert not refused.successful and "gray_min" in refused.reason
    (taken,) = graph.node.set_parameters([Parameter("colour.white_min", value=150.0)])
    assert taken.successful
    assert graph.show(background, 9_000_000_000).boxes[0].state == AfBox.TRACKED


def test_debug_picture_only_while_somebody_looks(
    graph: Graph, background: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    real = node_module.debug_picture
    monkeypatch.setattr(node_module, "debug_picture", lambda *given: drawn.append(1) or real(*given))
    graph.show(background, 1_000_000_000)
    assert not drawn
    graph.peer.create_subscription(Image, "debug/overlay", graph.pictures.append, IMAGE)
    assert graph.until(lambda: graph.node.count_subscribers("debug/overlay") > 0)
    graph.show(background, 2_000_000_000)
    assert graph.until(lambda: bool(graph.pictures))
    assert [to_ns(p.header.stamp) for p in graph.pictures] == [2_000_000_000] and len(drawn) == 1


def test_a_picture_that_cannot_be_read_is_a_fault_not_the_end(graph: Graph, background: NDArray[np.uint8]) -> None:
    header = Header(stamp=from_ns(1_000_000_000))
    graph.publisher.publish(Image(header=header, height=10, width=10, encoding="nonsense", step=10, data=bytes(100)))
    assert graph.until(lambda: any("nonsense" in s.message for report in graph.health for s in report.status))
    assert graph.show(background, 3_000_000_000).boxes == []
