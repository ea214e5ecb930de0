"""Asks the graph that runs on this machine: one service call from a program that is no node."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from .ros_logs import find_log_folder
from .running import own_domain, running

TIMEOUT_S = 10.0
"""Seconds to wait for an answer: discovery takes 1 to 3 on a busy machine."""


class NotRunning(Exception):
    """Nobody answers; the text says what to do."""


def find(namespace: str | None) -> str:
    """The namespace to ask in, with a slash before it; sets this process' ROS domain to that of the graph found there.

    A domain in the environment, or a namespace that is given, is obeyed.
    """
    graphs = [graph for graph in running() if namespace is None or graph.namespace == namespace.strip("/")]
    if "ROS_DOMAIN_ID" in os.environ:
        graphs = [graph for graph in graphs if graph.domain == own_domain()]
    if not graphs:
        return "/" + (namespace or "face_af").strip("/")
    newest = graphs[0]
    if len(graphs) > 1:
        print(f"{len(graphs)} graphs run here; the newest one, /{newest.namespace}, is asked", file=sys.stderr)
    os.environ["ROS_DOMAIN_ID"] = str(newest.domain)
    return f"/{newest.namespace}"


def call(kind: type, name: str, request: Any, timeout_s: float = TIMEOUT_S) -> Any:
    """One call of a service. Raises :class:`NotRunning`."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    context = rclpy.Context()
    find_log_folder()
    rclpy.init(args=[], context=context)
    try:
        node = rclpy.create_node(f"asking_{os.getpid()}", context=context, use_global_arguments=False)
        client = node.create_client(kind, name)
        started = time.monotonic()
        if not client.wait_for_service(timeout_s):
            raise NotRunning(
                f"nobody answers to {name} on this machine: start face_af first "
                "(./run ros2 launch face_af bringup.launch.py …), or name its --namespace"
            )
        future = client.call_async(request)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        executor.spin_until_future_complete(future, max(1.0, timeout_s - (time.monotonic() - started)))
        if not future.done():
            raise NotRunning(f"{name} has not answered for {timeout_s:g} s; `./run ros2 run face_af health` says why")
        return future.result()
    finally:
        rclpy.shutdown(context=context)
