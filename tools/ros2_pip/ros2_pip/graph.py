"""The node that a ``ros2`` command is, and what it sees of the graph."""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter

from .main import CommandError

SETTLED_AFTER = 1.0
"""Seconds without a change after which the graph counts as seen."""
AT_MOST = 5.0
"""Seconds after which whoever was not seen is not there."""
AGAIN_AFTER = 1.0
"""Seconds after which an unanswered question is asked once more. A node that has not yet discovered the asker's
end of the answers when it answers loses the answer (rmw_fastrtps waits 0.1 s for it)."""


class Graph:
    """A hidden node and its executor."""

    def __init__(self, context: Context, use_sim_time: bool = False, settled_after: float = SETTLED_AFTER) -> None:
        self._settled_after = settled_after
        self.node: Node = rclpy.create_node(
            f"_ros2cli_{os.getpid()}",
            context=context,
            start_parameter_services=False,
            enable_rosout=False,
            parameter_overrides=[Parameter("use_sim_time", value=use_sim_time)],
        )
        self.context = context
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)

    def spin_once(self, timeout: float = 0.05) -> None:
        self._executor.spin_once(timeout_sec=timeout)

    def spin(self) -> None:
        """Until Ctrl-C or SIGTERM."""
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def wait_for(self, condition: Callable[[], Any], timeout: float | None) -> bool:
        """Spins until ``condition`` holds; False where it does not within ``timeout`` seconds (None: for ever)."""
        end = None if timeout is None else time.monotonic() + timeout
        while not condition():
            if end is not None and time.monotonic() > end:
                return False
            self.spin_once()
        return True

    def settle(self) -> None:
        """Spins until a person has been discovered and then nothing new for a moment, or nobody at all for longer."""
        start = changed = time.monotonic()
        seen: object = None
        while time.monotonic() - start < max(AT_MOST, self._settled_after):
            names = self.node.get_node_names()
            now = len(names), len(self.node.get_topic_names_and_types())
            if now != seen:
                seen, changed = now, time.monotonic()
            if len(names) > 1 and time.monotonic() - changed > self._settled_after:
                return
            self.spin_once()

    def node_names(self, hidden: bool = False) -> list[str]:
        """Full names, sorted."""
        names = [f"{namespace.rstrip('/')}/{name}" for name, namespace in self.node.get_node_names_and_namespaces()]
        return sorted(name for name in names if hidden or not is_hidden(name))

    def find_node(self, name: str, timeout: float = 5.0) -> tuple[str, str]:
        """Name and namespace of a node, as soon as it is seen."""
        full = absolute(name)
        if not self.wait_for(lambda: full in self.node_names(hidden=True), timeout):
            raise CommandError("Node not found")
        namespace, _, own = full.rpartition("/")
        return own, namespace or "/"

    def topics(self, hidden: bool = False) -> list[tuple[str, list[str]]]:
        found = self.node.get_topic_names_and_types()
        return sorted((name, types) for name, types in found if hidden or not is_hidden(name))

    def call(self, service_type: type, name: str, request: Any, timeout: float = 5.0, repeatable: bool = False) -> Any:
        """The service's answer. CommandError where nobody answers.

        timeout: seconds for the service to be seen, and again for the answer.
        repeatable: asking twice does no harm, so an answer that got lost is asked for again.
        """
        client = self.node.create_client(service_type, name)
        try:
            if not self.wait_for(client.service_is_ready, timeout):
                raise CommandError(f"the service {name} is not there")
            end = time.monotonic() + timeout
            asked = [client.call_async(request)]
            wait = min(AGAIN_AFTER, timeout) if repeatable else timeout
            while not self.wait_for(lambda: any(future.done() for future in asked), wait):
                if time.monotonic() >= end:
                    raise CommandError(f"the service {name} did not answer within {timeout:g} s")
                asked.append(client.call_async(request))
            return next(future.result() for future in asked if future.done())
        finally:
            self.node.destroy_client(client)

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()


def add_graph_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of every command that looks at the graph."""
    parser.add_argument("--no-daemon", action="store_true", help="taken for granted here: there is no daemon")
    parser.add_argument(
        "--spin-time", type=float, metavar="SECONDS", default=SETTLED_AFTER, help="how long nothing new may be seen"
    )
    parser.add_argument("-s", "--use-sim-time", action="store_true", help="take the time from /clock")


@contextlib.contextmanager
def graph(args: argparse.Namespace | None = None, use_sim_time: bool = False) -> Iterator[Graph]:
    """A node for the time of one command, with what :func:`add_graph_arguments` has asked for."""
    context = Context()
    rclpy.init(args=[], context=context)
    sim_time = use_sim_time or getattr(args, "use_sim_time", False)
    made = Graph(context, sim_time, getattr(args, "spin_time", SETTLED_AFTER))
    try:
        yield made
    finally:
        made.close()
        context.try_shutdown()


def absolute(name: str) -> str:
    return name if name.startswith("/") else f"/{name}"


def is_hidden(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("/"))
