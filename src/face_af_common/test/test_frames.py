"""Frames within a process and across: the same for a subscriber, by reference where that is possible."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from face_af_common import qos
from face_af_common.frames import Frame, FramePublisher, FrameSubscription
from face_af_common.images import ImageError, from_bgr, to_jpeg
from face_af_common.stamps import from_ns


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Node, Node]]:
    """A camera's node and another one of the same process."""
    monkeypatch.setenv("ROS_DOMAIN_ID", str(100 + os.getpid() % 100))
    rclpy.init(args=["--ros-args", "-r", "__ns:=/ns", "-r", "image_raw:=hdmi"])
    nodes = rclpy.create_node("camera"), rclpy.create_node("reader")
    yield nodes
    for node in nodes:
        node.destroy_node()
    rclpy.try_shutdown()


class Reader:
    """Subscribes, and keeps what came."""

    def __init__(self, node: Node) -> None:
        self.frames: list[Frame] = []
        self.errors: list[ImageError] = []
        self.threads: set[int] = set()
        self.subscription = FrameSubscription(node, "image_raw", self._on_frame, self.errors.append)

    def _on_frame(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.threads.add(threading.get_ident())


def image(value: int = 0) -> np.ndarray:
    noise = np.random.default_rng(value)
    return cv2.resize(noise.integers(0, 255, (9, 16, 3), np.uint8), (320, 180), interpolation=cv2.INTER_CUBIC)


def header(stamp_ns: int) -> Header:
    return Header(stamp=from_ns(stamp_ns), frame_id="camera")


def wait(nodes: tuple[Node, ...], condition: Callable[[], object]) -> None:
    executor = SingleThreadedExecutor()
    for node in nodes:
        executor.add_node(node)
    end = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end
        executor.spin_once(timeout_sec=0.05)
    for node in nodes:
        executor.remove_node(node)


def in_other_process(code: str) -> subprocess.Popen[str]:
    start = """
import sys, time, numpy as np, rclpy
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from face_af_common import qos
from face_af_common.images import from_bgr
from face_af_common.stamps import from_ns, to_ns
rclpy.init()
node = rclpy.create_node("outside")
"""
    return subprocess.Popen([sys.executable, "-c", start + code], stdout=subprocess.PIPE, text=True)


def test_the_same_array_arrives_and_nothing_is_sent(graph: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch) -> None:
    camera, node = graph
    readers = [Reader(node), Reader(node)]
    publisher = FramePublisher(camera)
    assert publisher.subscriptions == 2
    wait(graph, lambda: not any(reader.subscription.has_reader for reader in readers))
    monkeypatch.setattr("face_af_common.frames.from_bgr", lambda *_: pytest.fail("a copy was made"))
    sent = image()
    publisher.publish(sent, header(7))
    wait(graph, lambda: all(reader.frames for reader in readers))
    for reader in readers:
        (frame,) = reader.frames
        assert np.shares_memory(frame.bgr, sent)
        assert not frame.bgr.flags.writeable
        assert (frame.stamp_ns, frame.header.frame_id) == (7, "camera")
    assert sent.flags.writeable, "the publisher's own array stays as it was"


def test_the_newest_wins_and_a_repeated_stamp_comes_again(graph: tuple[Node, Node]) -> None:
    camera, node = graph
    publisher, reader = FramePublisher(camera), Reader(node)
    for stamp in (1, 2, 3):
        publisher.publish(image(stamp), header(stamp))
    wait(graph, lambda: len(reader.frames) > 1)
    publisher.publish(image(3), header(3))
    wait(graph, lambda: len(reader.frames) > 2)
    assert [frame.stamp_ns for frame in reader.frames] == [1, 3, 3]


def test_a_quick_reader_takes_the_frames_that_a_slow_one_takes(graph: tuple[Node, Node]) -> None:
    camera, node = graph
    slow_node = rclpy.create_node("slow")
    publisher, quick, slow = FramePublisher(camera), Reader(node), Reader(slow_node)
    for stamp in (1, 2, 3):
        publisher.publish(image(), header(stamp))
        wait((node,), lambda: quick.frames)
    assert [frame.stamp_ns for frame in quick.frames] == [1], "the slow one has not begun yet"
    wait((slow_node,), lambda: slow.frames)
    wait((node, slow_node), lambda: len(quick.frames) == len(slow.frames) == 2)
    assert [frame.stamp_ns for frame in quick.frames] == [frame.stamp_ns for frame in slow.frames] == [1, 3]
    slow_node.destroy_node()


def test_what_else_waits_is_done_before_a_frame(graph: tuple[Node, Node]) -> None:
    camera, node = graph
    order: list[str] = []
    publisher = FramePublisher(camera)
    subscription = FrameSubscription(node, "image_raw", lambda _: order.append("frame"), lambda _: None)
    other = node.create_guard_condition(lambda: order.append("other"))
    wait(graph, lambda: not subscription.has_reader)
    publisher.publish(image(), header(1))
    other.trigger()
    wait(graph, lambda: len(order) == 2)
    assert order == ["other", "frame"]


def test_callbacks_run_in_the_subscriber_s_thread(graph: tuple[Node, Node]) -> None:
    camera, node = graph
    publisher, reader = FramePublisher(camera), Reader(node)
    thread = threading.Thread(target=wait, args=((node,), lambda: reader.frames))
    thread.start()
    publisher.publish(image(), header(1))
    thread.join(20.0)
    assert reader.threads == {thread.ident}


def test_a_process_outside_gets_the_same_and_the_copy_of_dds_is_not_counted_twice(graph: tuple[Node, Node]) -> None:
    camera, node = graph
    publisher, reader = FramePublisher(camera), Reader(node)
    # a plain publisher beside it makes the reader listen to DDS as well
    other = camera.create_publisher(Image, "image_raw", qos.IMAGE)
    wait(graph, lambda: reader.subscription.has_reader)
    code = """
def got(message):
    print(to_ns(message.header.stamp), message.width, message.height, int(np.frombuffer(message.data, np.uint8).sum()))
    sys.exit()
node.create_subscription(Image, "/ns/hdmi", got, qos.IMAGE)
rclpy.spin(node)
"""
    with in_other_process(code) as outside:
        wait(graph, lambda: publisher.subscriptions == 2)
        end = time.monotonic() + 20.0
        stamp = 0
        while outside.poll() is None and time.monotonic() < end:
            stamp += 1
            publisher.publish(image(), header(stamp))
            wait(graph, lambda: reader.frames and reader.frames[-1].stamp_ns == stamp)  # noqa: B023
            time.sleep(0.05)
        assert outside.stdout is not None
        said = outside.stdout.read().split()
    assert said[1:] == ["320", "180", str(image().sum(dtype=np.int64))]
    other.publish(from_bgr(image(5), header(1000)))
    wait(graph, lambda: reader.frames[-1].stamp_ns == 1000)
    assert np.array_equal(reader.frames[-1].bgr, image(5))
    assert not reader.frames[-1].bgr.flags.writeable
    stamps = [frame.stamp_ns for frame in reader.frames]
    assert stamps == sorted(set(stamps)), "nothing came twice"


def test_without_a_publisher_in_the_process_dds_is_listened_to(graph: tuple[Node, Node]) -> None:
    _, node = graph
    reader = Reader(node)
    assert reader.subscription.has_reader
    code = """
publisher = node.create_publisher(Image, "/ns/hdmi", qos.IMAGE)
for stamp in range(1, 400):
    message = from_bgr(np.full((4, 6, 3), 9, np.uint8), Header(stamp=from_ns(stamp)))
    if stamp % 2:
        message.data = message.data[:5]
    publisher.publish(message)
    time.sleep(0.05)
"""
    with in_other_process(code) as outside:
        wait(graph, lambda: reader.frames and reader.errors)
        outside.kill()
    assert reader.frames[0].bgr.shape == (4, 6, 3)
    assert (reader.frames[0].bgr == 9).all()
    assert "5 bytes" in str(reader.errors[0])


def test_who_was_destroyed_is_not_waited_for(graph: tuple[Node, Node]) -> None:
    camera, node = graph
    publisher, reader = FramePublisher(camera), Reader(node)
    extra = rclpy.create_node("extra")
    gone = Reader(extra)
    extra.destroy_node()
    publisher.publish(image(), header(1))
    wait(graph, lambda: reader.frames)
    assert publisher.subscriptions == 1
    assert not gone.frames
    reader.subscription.close()
    publisher.publish(image(), header(2))
    assert publisher.subscriptions == 0


def test_when_the_publisher_s_node_is_destroyed_dds_is_listened_to_again(graph: tuple[Node, Node]) -> None:
    camera, node = graph
    publisher, reader = FramePublisher(camera), Reader(node)
    wait((node,), lambda: not reader.subscription.has_reader)
    camera.destroy_node()
    wait((node,), lambda: reader.subscription.has_reader)
    assert not publisher.alive


def test_a_jpeg_is_made_only_while_somebody_listens(graph: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch) -> None:
    camera, node = graph
    made: list[int] = []

    def counted(bgr: np.ndarray, about: Header, quality: int) -> CompressedImage:
        made.append(quality)
        return to_jpeg(bgr, about, quality)

    monkeypatch.setattr("face_af_common.frames.to_jpeg", counted)
    publisher = FramePublisher(camera)
    assert not publisher.watched
    publisher.publish(image(), header(7))
    assert made == []
    jpegs: list[CompressedImage] = []
    best_effort = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    viewer = node.create_subscription(CompressedImage, "/ns/hdmi/compressed", jpegs.append, best_effort)
    wait(graph, lambda: publisher.watched)
    publisher.quality = 95
    publisher.publish(image(), header(8))
    wait(graph, lambda: jpegs)
    assert made == [95]
    assert jpegs[0].header == header(8)
    assert jpegs[0].format == "bgr8; jpeg compressed bgr8"
    shown = cv2.imdecode(np.frombuffer(jpegs[0].data, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown.astype(int) - image()).mean() < 3
    node.destroy_subscription(viewer)
    wait(graph, lambda: not publisher.watched)
    publisher.publish(image(), header(9))
    assert len(made) == 1


def test_quality_is_bought_with_bytes() -> None:
    sizes = [len(to_jpeg(image(), Header(), quality).data) for quality in (40, 85, 95)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]
