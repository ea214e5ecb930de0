"""How every node ends: quietly, and with its device closed, however often Ctrl-C is pressed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

NODE = """
import sys, time
from rclpy.node import Node
from std_msgs.msg import String
from face_af_common.node_main import run_node

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

sys.exit(run_node(Busy))
"""


THREAD = """
import sys, threading
from rclpy.node import Node
from std_msgs.msg import String
from face_af_common.node_main import run_node

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

sys.exit(run_node(Talker))
"""


BRIEF = """
import sys
from rclpy.node import Node
from face_af_common.node_main import run_node

class Brief(Node):
    def __init__(self):
        super().__init__("brief")
        print("busy", flush=True)
        self.context.shutdown()

sys.exit(run_node(Brief))
"""


@contextmanager
def started(code: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A node that is busy, and what it says."""
    node = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
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
