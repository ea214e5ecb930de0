"""A launch file of the project as a benchmark's child, with a node of the benchmark that watches it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from face_af_common.ros_context import open_context, shut_down_context
from face_af_common.ros_domain import claim_domain, free_port
from face_af_sim.demo.cast import prepare
from face_af_sim.demo.graph import Graph

N = TypeVar("N", bound=Node)


@contextmanager
def live_graph(
    make_watcher: Callable[[], N],
    out: Path,
    launch_file: str = "sim.launch.py",
    arguments: Mapping[str, object] | None = None,
) -> Iterator[tuple[Graph, N]]:
    """The launch file in a domain of its own, gallery and log in ``out``; the watcher spins in a thread.

    Raises :class:`~face_af_sim.demo.cast.CastError` where there is nobody for the stage.
    """
    out.mkdir(parents=True, exist_ok=True)
    out = out.resolve()
    cast = prepare(out / "gallery", None, "", print)
    given = {"target": cast.target, "gallery": cast.gallery, "camera_port": free_port(), "debug": "false"}
    with (
        watching(make_watcher) as watcher,
        Graph(launch_file, {**given, **(arguments or {})}, out / "launch.log") as graph,
    ):
        yield graph, watcher


@contextmanager
def watching(make_watcher: Callable[[], N]) -> Iterator[N]:
    """A node that spins in a thread, in a domain of its own, which processes that are started in the block share."""
    os.environ["ROS_DOMAIN_ID"] = str(claim_domain())
    # a signal ends the block like any error, and with it the graph
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    open_context([])
    watcher = make_watcher()
    executor = SingleThreadedExecutor()
    executor.add_node(watcher)
    spinner = threading.Thread(target=executor.spin, daemon=True)
    spinner.start()
    try:
        yield watcher
    finally:
        executor.shutdown()
        spinner.join(5.0)
        watcher.destroy_node()
        shut_down_context()


def wait_until(done: Callable[[], bool], seconds: float, poll: float = 0.05) -> bool:
    """Whether ``done`` becomes true within ``seconds``."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(poll)
    return True
