"""Nodes tell one another whom they hear; one that does not get what it should ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import Empty

from face_af_common import hearing
from face_af_common.diagnostics import HEARS, SINCE_RESULT_S, Health
from face_af_common.hearing import DeafError, Hearing
from face_af_common.standby import TURN


class Graph:
    """A node with :class:`Hearing`, whose time is told by the test, and another one."""

    def __init__(self) -> None:
        self.now = 100.0
        self.node, self.other = (rclpy.create_node(name, namespace="cam") for name in ("perception", "stage"))
        self.health = Health(self.node)
        self.hearing = Hearing(self.node, self.health, "image_raw")
        next(timer for timer in self.node.timers if timer.timer_period_ns == 200_000_000).cancel()
        self.node.create_subscription(Empty, "image_raw", lambda _: self.hearing.got("image_raw"), 10)
        self.images = self.other.create_publisher(Empty, "image_raw", 10)
        self._executor = SingleThreadedExecutor()
        for node in (self.node, self.other):
            self._executor.add_node(node)

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 20.0
        while not condition():
            assert time.monotonic() < end
            self._executor.spin_once(timeout_sec=0.05)

    def go_on(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.2)):
            self.now += 0.2
            self.hearing._look()

    def heard(self) -> list[str]:
        return self.health.hears() if self.health.hears else []

    def meet(self, health: Health) -> None:
        """The other says something, and is heard."""
        self.go_on(0.4)
        self.until(lambda: health._publisher.get_subscription_count())

        def is_heard() -> bool:
            health.publish()
            return bool(self.heard())

        self.until(is_heard)


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[Graph]:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(100 + os.getpid() % 100))
    rclpy.init(args=[])
    made: list[Graph] = []
    monkeypatch.setattr(hearing, "time", SimpleNamespace(monotonic=lambda: made[0].now if made else 100.0))
    made.append(Graph())
    yield made[0]
    made[0]._executor.shutdown()
    rclpy.try_shutdown()


def test_it_says_whom_it_hears(graph: Graph) -> None:
    said: list[dict[str, str]] = []
    graph.other.create_subscription(
        DiagnosticArray, "/diagnostics", lambda m: said.append({v.key: v.value for v in m.status[0].values}), 10
    )
    graph.meet(Health(graph.other))
    assert graph.heard() == ["cam/stage"]
    graph.until(lambda: any(values.get(HEARS) == "cam/stage" for values in said))
    assert all(SINCE_RESULT_S not in values for values in said)  # neither had a result


def test_who_hears_nobody_after_it_stood_still_ends(graph: Graph) -> None:
    graph.meet(Health(graph.other, period=1e6))
    graph.now += 2.0
    graph.go_on(1.6)
    with pytest.raises(DeafError, match=r"stood still for 2\.\d s and hears nobody since; start it again"):
        graph.go_on(1.0)


def test_who_gets_no_pictures_that_are_sent_ends(graph: Graph) -> None:
    health = Health(graph.other, period=1e6)
    with pytest.raises(DeafError, match="does not get the image_raw of cam/stage; start it again"):
        for _ in range(50):
            health.tick()
            health.publish()
            for _ in range(4):
                graph._executor.spin_once(timeout_sec=0.02)
            graph.go_on(0.4)


def test_words_of_strangers_do_no_harm(graph: Graph) -> None:
    stranger = graph.other.create_publisher(DiagnosticArray, "/diagnostics", 10)
    graph.go_on(0.4)
    graph.until(stranger.get_subscription_count)
    values = [KeyValue(key=SINCE_RESULT_S, value="soon"), KeyValue(key=HEARS, value="a /// \n b")]
    status = DiagnosticStatus(name="stranger: motor", values=values)
    graph.until(lambda: (stranger.publish(DiagnosticArray(status=[status])), "stranger: motor" in graph.heard())[1])
    graph.go_on(4.0)


_DEAF = """
import sys
from rclpy.node import Node
from face_af_common.hearing import DeafError
from face_af_common.node_main import run_node

class Deaf(Node):
    def __init__(self):
        super().__init__("deaf")
        self.create_timer(0.01, self.notice)
    def notice(self):
        raise DeafError("hears nobody; start it again")
    def close(self):
        print("closed", flush=True)

sys.exit(run_node(Deaf))
"""


def test_the_process_ends_with_one_line_and_is_started_again() -> None:
    environment = {**os.environ, "ROS_DOMAIN_ID": str(100 + os.getpid() % 100)}
    done = subprocess.run([sys.executable, "-c", _DEAF], env=environment, capture_output=True, text=True, timeout=60)
    # status 2 would mean that starting again is of no use
    assert (done.returncode, done.stdout, done.stderr) == (3, "closed\n", "[FATAL] hears nobody; start it again\n")


def test_its_standby_goes_on_while_its_ports_stay_taken(graph: Graph, tmp_path: Path) -> None:
    turn = tmp_path / "turn"
    environment = {**os.environ, TURN: str(turn)}
    command = [sys.executable, "-c", _DEAF, "--ros-args", "-r", "__node:=overlay", "-r", "__ns:=/cam"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        with turn.open("ab") as lock:
            assert process.stdout is not None
            assert process.stdout.readline() == b"closed\n"  # the device is free before the turn is
            fcntl.flock(lock, fcntl.LOCK_EX)
        assert process.poll() is None
        assert _ports(process.pid)
        graph.until(lambda: "_overlay_deaf" in graph.node.get_node_names())
        graph.until(lambda: "overlay" not in graph.node.get_node_names())  # whose name is the next one's
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 3


def _ports(pid: int) -> list[str]:
    """Locks of Fast DDS that a process holds."""
    files = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            files.append(str(descriptor.readlink()))
    return [name for name in files if "fastdds_port" in name and name.endswith("_el")]
