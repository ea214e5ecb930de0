"""A node that stood still hears the others again, or ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from face_af_common.diagnostics import Health
from face_af_common.hearing import DeafError, Hearing
from face_af_common.node_main import run_node


class Stage:
    """A node with :class:`Hearing`, whose time is told by the test, and another node."""

    def __init__(self) -> None:
        self.node, self.other = rclpy.create_node("node"), rclpy.create_node("other")
        self.health = Health(self.node)
        self.hearing = Hearing(self.node)
        next(timer for timer in self.node.timers if timer.timer_period_ns == 200_000_000).cancel()
        self.now = time.monotonic()
        self._executor = SingleThreadedExecutor()
        for node in (self.node, self.other):
            self._executor.add_node(node)

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 20.0
        while not condition():
            assert time.monotonic() < end
            self._executor.spin_once(timeout_sec=0.05)

    def stand_still(self, seconds: float = 2.0) -> None:
        self.now += seconds
        self.hearing.look(self.now)

    def go_on(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.2)):
            self.now += 0.2
            self.hearing.look(self.now)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(100 + os.getpid() % 100))
    rclpy.init(args=[])
    stage = Stage()
    yield stage
    stage._executor.shutdown()
    rclpy.try_shutdown()


def seen_by(node: Node) -> int:
    return len(node.get_publishers_info_by_topic("/diagnostics"))


def test_an_ordinary_pace_is_never_looked_into(stage: Stage) -> None:
    stage.go_on(60.0)
    assert not stage.hearing.listening


def test_who_hears_the_others_goes_on(stage: Stage) -> None:
    Health(stage.other, period=0.1)
    stage.stand_still()
    assert stage.hearing.listening
    stage.until(lambda: not stage.hearing.listening)
    stage.go_on(10.0)


def test_who_hears_nothing_of_the_others_ends(stage: Stage) -> None:
    silent = stage.other.create_publisher(DiagnosticArray, "/diagnostics", 10)
    stage.until(lambda: seen_by(stage.node) == 2)
    stage.stand_still()
    stage.health.publish()  # its own voice does not count
    stage.until(lambda: silent.get_subscription_count())
    for _ in range(5):
        stage._executor.spin_once(timeout_sec=0.05)
    stage.go_on(1.4)
    with pytest.raises(DeafError, match=r"stood still for 2.0 s and hears nothing"):
        stage.go_on(1.0)


def test_time_in_which_it_stands_still_again_does_not_count(stage: Stage) -> None:
    stage.other.create_publisher(DiagnosticArray, "/diagnostics", 10)
    stage.until(lambda: seen_by(stage.node) == 2)
    for _ in range(5):
        stage.stand_still()
        stage.go_on(1.4)
    assert stage.hearing.listening


def test_who_is_alone_goes_on(stage: Stage) -> None:
    stage.stand_still()
    stage.go_on(10.0)
    assert not stage.hearing.listening


def test_the_process_ends_with_one_line_and_is_started_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(100 + os.getpid() % 100))

    class Deaf(Node):
        def __init__(self) -> None:
            super().__init__("deaf")
            self.create_timer(0.01, self.notice)

        def notice(self) -> None:
            raise DeafError("hears nothing")

    assert run_node(Deaf, []) == 3  # 2 would mean that starting again is of no use
    assert capsys.readouterr().err == "[FATAL] hears nothing\n"
