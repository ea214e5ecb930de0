"""A stranger in the graph: a node that asks all others whether they still answer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from rcl_interfaces.srv import (
    GetParameters,
)
from rclpy.node import Node
from sensor_msgs.msg import Image

from face_af_common import qos
from face_af_msgs import msg as m

from . import other_nodes

NODES = (
    "stage",
    "perception",
    "overlay",
    "steering",
    "nikon_mcn10",
    "debug_view",
    "page",
    "recorder",
    *other_nodes.NODES,
)

PATIENCE_S = 2.0

_LOST_S = 15.0


class Stranger(Node):
    """Sends, calls, and looks whether everybody still answers."""

    def __init__(self) -> None:
        super().__init__("stranger", namespace="face_af")
        self.states = 0
        self._pulse = {name: self.create_client(GetParameters, f"{name}/get_parameters") for name in NODES}
        self.create_subscription(m.SteeringState, "state", self._on_state, qos.RESULT)
        # debug_view works only while it is watched
        self.create_subscription(Image, "debug/image", lambda _: None, qos.IMAGE)

    def _on_state(self, _: m.SteeringState) -> None:
        self.states += 1

    def slowest_answer(self, asked: Sequence[str] = NODES) -> tuple[str, float]:
        """Of the nodes ``asked`` the one that takes longest to answer now, and how long, seconds."""
        began = time.monotonic()
        question = GetParameters.Request(names=["use_sim_time"])
        waiting = {name: self._pulse[name].call_async(question) for name in asked}
        slowest = ("", 0.0)
        while waiting and time.monotonic() - began < _LOST_S:
            for name in [name for name, future in waiting.items() if future.done()]:
                del waiting[name]
                slowest = (name, time.monotonic() - began)
            time.sleep(0.002)
        for name, future in waiting.items():
            self._pulse[name].remove_pending_request(future)
        return (" and ".join(waiting), _LOST_S) if waiting else slowest

    def hearers(self, topic: str) -> list[str]:
        """The nodes that get messages of a topic."""
        infos = self.get_subscriptions_info_by_topic(self.resolve_topic_name(topic))
        full = {f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in infos}
        return [name for name in NODES if self.resolve_topic_name(name) in full]

    def answers(self, client: Any, requests: Iterable[Any], seconds: float = PATIENCE_S) -> list[Any]:
        """The responses to what is asked all at once, in order; None for one that did not come in time."""
        futures = [client.call_async(request) for request in requests]
        end = time.monotonic() + seconds
        while not all(future.done() for future in futures) and time.monotonic() < end:
            time.sleep(0.002)
        return [future.result() if future.done() else None for future in futures]
