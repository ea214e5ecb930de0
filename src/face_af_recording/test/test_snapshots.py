"""The recorder's snapshots of every node's parameters."""

from __future__ import annotations

import time
from typing import Any

import rclpy
from rcl_interfaces.srv import ListParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor

from face_af_common.ros_domain import claim_domain
from face_af_recording.recorder.session import ParameterSnapshots


class Unreliable:
    """A service that loses its first answer."""

    def __init__(self, service: Any) -> None:
        self._service, self._send = service, service.send_response
        service.send_response = self._lose

    def _lose(self, *_: Any) -> None:
        self._service.send_response = self._send


def test_a_lost_answer_is_asked_for_again_and_a_node_that_comes_back_anew() -> None:
    context = Context()
    rclpy.init(args=[], context=context, domain_id=claim_domain())
    executor = SingleThreadedExecutor(context=context)
    asking = rclpy.create_node("recorder", namespace="/ns", context=context)
    executor.add_node(asking)
    found: list[dict[str, dict[str, Any]]] = []
    snapshots = ParameterSnapshots(asking, found.append)

    def until_found(gain: float) -> None:
        end = time.monotonic() + 60
        while not found or found[-1]["/ns/talker"].get("gain") != gain:
            assert time.monotonic() < end, found
            snapshots.survey()
            for _ in range(20):
                executor.spin_once(0.01)

    def talker(gain: float) -> rclpy.node.Node:
        node = rclpy.create_node("talker", namespace="/ns", context=context)
        node.declare_parameter("gain", gain)
        executor.add_node(node)
        return node

    node = talker(1.5)
    (listing,) = (s for s in node.services if s.srv_type is ListParameters)
    Unreliable(listing)
    until_found(1.5)
    executor.remove_node(node)
    node.destroy_node()
    while ("talker", "/ns") in asking.get_node_names_and_namespaces():
        executor.spin_once(0.05)
    snapshots.survey()
    talker(2.5)
    until_found(2.5)
    executor.shutdown()
    context.try_shutdown()
