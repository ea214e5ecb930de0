"""How nodes run and end: quietly, with their devices closed, within 2 s, and replaced when they die or hang."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from face_af_common.live_state import SESSION

pytestmark = pytest.mark.timeout(60)

NODE = """
import sys, time
from rclpy.node import Node
from std_msgs.msg import String
from face_af_common.runtime import run_nodes

class Busy(Node):
    def __init__(self):
        super().__init__("busy")
        self.talk = self.create_publisher(String, "talk", 10)
        self.create_subscription(String, "talk", lambda message: None, 10)
        self.create_timer(0.001, lambda: self.talk.publish(String(data="a" * 100)))
        self.create_timer(0.1, lambda: print("busy", flush=True))

    def close(self):
        print("closing", flush=True)
        time.sleep(0.3)
        print("closed", flush=True)

sys.exit(run_nodes({"busy": Busy}))
"""


THREAD = """
import sys, threading
from rclpy.node import Node
from std_msgs.msg import String
from face_af_common.runtime import run_nodes

class Talker(Node):
    def __init__(self):
        super().__init__("talker")
        self.talk = self.create_publisher(String, "talk", 10)
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        print("busy", flush=True)
        while self.context.ok():
            pass
        self.talk.publish(String(data="too late"))

    def close(self):
        self.thread.join()

sys.exit(run_nodes({"talker": Talker}))
"""


BRIEF = """
import sys
from rclpy.node import Node
from face_af_common.runtime import run_nodes

class Brief(Node):
    def __init__(self):
        super().__init__("brief")
        print("busy", flush=True)
        self.context.shutdown()

sys.exit(run_nodes({"brief": Brief}))
"""


TWO = """
import os, sys, threading, time
from rclpy.node import Node
from std_msgs.msg import String
from face_af_common.runtime import run_nodes

def make(name):
    def say(what):
        sys.stdout.write(f"{name} {what}\\n")
        sys.stdout.flush()

    class One(Node):
        def __init__(self):
            super().__init__(name)
            self.create_timer(0.1, lambda: say(f"{os.getpid()} {threading.get_ident()}"))
            self.create_subscription(String, "do", self.do, 10)

        def do(self, message):
            if message.data == f"{name} hangs":
                time.sleep(1000)
            if message.data == f"{name} fails":
                raise RuntimeError("broken")

        def close(self):
            say("closed")
            if "slow" in sys.argv and name == "one":
                time.sleep(1000)
    return One

print("busy", flush=True)
sys.exit(run_nodes({"one": make("one"), "two": make("two")}))
"""


@contextmanager
def started(
    code: str, *arguments: str, session: Path | None = None, domain: int | None = None
) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A process of nodes that is busy, and what it says."""
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain or 100 + os.getpid() % 100)}
    # a newer Fast DDS than Humble's warns of it
    environment.pop("FASTRTPS_DEFAULT_PROFILES_FILE", None)
    if session is not None:
        environment[SESSION] = str(session)
    node = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    assert node.stdout is not None
    try:
        assert node.stdout.readline() == "busy\n"
        yield node, node.stdout
    finally:
        node.kill()
        node.wait()


def test_a_thread_that_publishes_at_the_end_is_quiet() -> None:
    with started(THREAD) as (node, _):
        node.send_signal(signal.SIGINT)
        assert node.communicate(timeout=20.0)[0] == ""
        assert node.returncode == 0


def test_an_interrupt_just_before_it_spins_is_quiet() -> None:
    with started(BRIEF) as (node, _):
        assert node.communicate(timeout=20.0)[0] == ""
        assert node.returncode == 0


def test_a_second_interrupt_does_not_cut_the_closing_short() -> None:
    # the terminal and launch both send one
    with started(NODE) as (node, output):
        node.send_signal(signal.SIGINT)
        said = []
        for line in output:
            said.append(line.strip())
            if line == "closing\n":
                node.send_signal(signal.SIGINT)
        assert [line for line in said if line != "busy"] == ["closing", "closed"]
        assert node.wait(5.0) == 0


def test_many_interrupts_at_once_end_it_too() -> None:
    for _ in range(3):
        with started(NODE) as (node, output):
            stop = time.monotonic() + 0.3
            while time.monotonic() < stop and node.poll() is None:
                node.send_signal(signal.SIGINT)
                node.send_signal(signal.SIGTERM)
            left = output.read()
            assert left.endswith("closed\n"), (left, node.wait(5.0))
            assert node.wait(5.0) == 0


def line(output: IO[str], pattern: str) -> re.Match[str]:
    """The next line that matches."""
    for text in output:
        found = re.search(pattern, text)
        if found:
            return found
    raise AssertionError(f"{pattern} was not said")


def tell(what: str) -> None:
    """One message on the topic "do", from a process of its own."""
    code = f"""
import time, rclpy
from std_msgs.msg import String
rclpy.init()
node = rclpy.create_node("teller")
publisher = node.create_publisher(String, "do", 10)
while not publisher.get_subscription_count() > 1:
    time.sleep(0.05)
publisher.publish(String(data="{what}"))
publisher.wait_for_all_acked()
"""
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "ROS_DOMAIN_ID": str(100 + os.getpid() % 100)}
    )


def test_two_nodes_of_a_process_have_two_threads_and_both_are_closed() -> None:
    with started(TWO) as (process, output):
        one, two = line(output, r"one (\d+) (\d+)"), line(output, r"two (\d+) (\d+)")
        assert one[1] == two[1] == str(process.pid)
        assert one[2] != two[2]
        process.send_signal(signal.SIGTERM)
        left = process.communicate(timeout=30.0)[0]
        assert "one closed" in left and "two closed" in left
        assert process.returncode == 0


def test_a_failure_of_one_ends_the_process_and_closes_the_other() -> None:
    with started(TWO) as (process, output):
        line(output, "two")
        tell("one fails")
        left = process.communicate(timeout=30.0)[0]
        assert "RuntimeError: broken" in left and "two closed" in left
        assert process.returncode == 1


@pytest.mark.parametrize("session", [False, True])
def test_what_does_not_end_is_ended_hard(session: bool, tmp_path: Path) -> None:
    with started(TWO, "slow", session=tmp_path if session else None) as (process, output):
        line(output, "two")
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        left = process.communicate(timeout=30.0)[0]
        assert time.monotonic() - begun > 1.8
        assert "one: not closed within 2 s; ended hard" in left
        assert process.returncode == 1


@pytest.mark.parametrize("how", ["killed", "frozen", "hangs", "fails"])
def test_a_process_that_dies_or_hangs_is_replaced(how: str, tmp_path: Path) -> None:
    with started(TWO, session=tmp_path) as (process, output):
        first = line(output, r"two (\d+)")[1]
        assert first != str(process.pid), "a supervised child"
        if how == "killed":
            os.kill(int(first), signal.SIGKILL)
            line(output, "SIGKILL.*started again")
        elif how == "frozen":
            os.kill(int(first), signal.SIGSTOP)
            line(output, "hangs.*is killed")
        else:
            tell(f"one {how}")
            line(output, "hangs.*is killed" if how == "hangs" else "status 1.*started again")
        line(output, rf"two (?!{first}\b)\d+")
        process.send_signal(signal.SIGINT)
        assert "two closed" in process.communicate(timeout=30.0)[0]
        assert process.returncode == 0


def test_when_the_supervisor_is_killed_its_child_goes_on_until_another_one_is_ready(tmp_path: Path) -> None:
    quick = TWO.replace("\nsys.exit", "\nimport face_af_common.supervisor as s; s.HANDOVER_S = 4.0\nsys.exit")
    with started(quick, session=tmp_path) as (process, output):
        orphan = line(output, r"two (\d+)")[1]
        with started(quick, session=tmp_path) as (_, other):
            # only then: how long it takes to start is another question
            line(other, "does nothing until that has ended")
            killed_at = time.monotonic()
            process.kill()
            left = output.read()  # ends when the orphan does
            assert time.monotonic() - killed_at >= 4.0
            assert "one closed" in left and "two closed" in left
            line(other, rf"two (?!{orphan}\b)\d+")


def test_a_second_one_is_passive_and_goes_on_when_the_first_has_died() -> None:
    with started(TWO) as (first, output):
        line(output, "two")
        with started(TWO) as (second, other):
            assert "ROS domain" in line(other, ".*does nothing until that has ended.*")[0]
            first.kill()
            assert line(other, r"one (\d+)")[1] == str(second.pid)


def test_the_same_nodes_in_another_domain_or_namespace_work_beside_it() -> None:
    with (
        started(TWO) as (_, output),
        started(TWO, domain=100 + (os.getpid() + 1) % 100) as (_, other),
        started(TWO, "--ros-args", "-r", "__ns:=/elsewhere") as (_, third),
    ):
        for said in (output, other, third):
            line(said, r"two \d+")


def test_a_passive_one_ends_at_once(tmp_path: Path) -> None:
    with started(TWO) as (_, output):
        line(output, "two")
        with started(TWO, session=tmp_path) as (second, other):
            line(other, "does nothing until")
            second.send_signal(signal.SIGINT)
            assert second.wait(5.0) == 0
