"""Every parameter of every running node: another value is taken and read back, a wrong one is refused with a reason."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
import yaml
from processes import started
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python

from face_af_common.node_params import NODES
from face_af_common.params import ParamInfo, describe
from face_af_common.ros_domain import claim_domain

pytestmark = pytest.mark.timeout(300)

RUNNING = ("capture", "perception", "overlay", "steering", "nikon_mcn10", "debug_view", "recorder")
"""All but the simulated stage, which needs photographs."""
NEEDS_SOMETHING_THERE = {("steering", "recipe")}
"""Texts that must name something that exists."""
TEXTS = {"pixel_format": "MJPG"}
"""Valid ones, where not any will do."""


class Asker:
    """Sets and reads other nodes' parameters."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._clients: dict[tuple[str, str], Any] = {}

    def call(self, target: str, service: str, kind: Any, request: Any) -> Any:
        client = self._clients.get((target, service))
        if client is None:
            client = self._clients[target, service] = self._node.create_client(kind, f"/face_af/{target}/{service}")
            assert client.wait_for_service(150.0), f"{target} does not start"
        future = client.call_async(request)
        rclpy.spin_until_future_complete(self._node, future, timeout_sec=30.0)
        assert future.done(), f"{target} does not answer {service}"
        return future.result()

    def set(self, target: str, name: str, value: Any) -> tuple[bool, str]:
        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        result = self.call(target, "set_parameters", SetParameters, request).results[0]
        return bool(result.successful), str(result.reason)

    def get(self, target: str, name: str) -> Any:
        answer = self.call(target, "get_parameters", GetParameters, GetParameters.Request(names=[name]))
        value = parameter_value_to_python(answer.values[0])
        return list(value) if hasattr(value, "tolist") else value


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    folder = tmp_path_factory.mktemp("graph")
    arguments = ["source:=v4l2", "device:=/dev/video97", "transport:=dry_run", "debug:=true", "record:=true"]
    before = os.environ.get("ROS_DOMAIN_ID")
    os.environ["ROS_DOMAIN_ID"] = domain = str(claim_domain())
    command = ["ros2", "launch", "face_af", "bringup.launch.py", *arguments, f"bag:={folder}/bag"]
    with started(command, folder / "log", ROS_DOMAIN_ID=domain):
        rclpy.init(args=[])
        node = rclpy.create_node("asker")
        yield Asker(node)
        node.destroy_node()
        rclpy.try_shutdown()
    if before is not None:
        os.environ["ROS_DOMAIN_ID"] = before


def others(info: ParamInfo, now: Any) -> list[Any]:
    """Further valid values, as far as the parameter alone tells."""
    if info.type is bool:
        return [not now]
    if info.choices:
        return [choice for choice in info.choices if choice != now]
    if info.type is str:
        return [TEXTS.get(info.name, f"{now}x")]
    if info.type is tuple:
        return [[value + type(value)(1) for value in now], [value * 2 for value in now]]
    low, high = (info.type(limit) for limit in (info.low or 0, info.high if info.high is not None else 1000))
    near = [now + (high - now) / share for share in (1000, 100, 10, 2)]
    near += [now - (now - low) / share for share in (1000, 100, 10, 2)]
    near += [now + 1, now - 1, low, high]
    values = [info.type(value) for value in near]
    return [value for value in dict.fromkeys(values) if value != now and low <= value <= high]


def wrong(info: ParamInfo) -> list[Any]:
    """Values that must be refused."""
    found: list[Any] = []
    if info.choices:
        found.append("none of these")
    elif info.type in (int, float):
        found += [info.type(info.low - 1)] if info.low is not None else []
        found += [info.type(info.high + 1)] if info.high is not None else []
    found.append("text" if info.type is not str else 7)
    return found


@pytest.mark.parametrize("target", RUNNING)
def test_every_parameter(asker: Asker, target: str) -> None:
    for info in describe(NODES[target]):
        now = asker.get(target, info.name)
        if info.read_only:
            done, reason = asker.set(target, info.name, (others(info, now) or wrong(info))[0])
            assert not done and reason, f"{target} {info.name} is read-only"
            continue
        for value in wrong(info):
            done, reason = asker.set(target, info.name, value)
            assert not done and reason, f"{target} {info.name} takes {value!r}"
            assert asker.get(target, info.name) == now, f"{target} {info.name} is changed by a value that it refused"
        if (target, info.name) in NEEDS_SOMETHING_THERE:
            continue
        refusals = []
        for value in others(info, now):
            done, reason = asker.set(target, info.name, value)
            if done:
                assert asker.get(target, info.name) == value, f"{target} {info.name} accepts {value!r} and forgets it"
                break
            refusals.append(f"{value!r}: {reason}")
        else:
            pytest.fail(f"{target} {info.name} ({now!r}) takes no other value: {refusals}")
        assert asker.set(target, info.name, now)[0]


def test_what_is_set_is_dumped(asker: Asker, tmp_path: Path) -> None:
    changed = {"perception": ("recognition.enter", 0.44), "overlay": ("max_corners", 250), "steering": ("yield_s", 4.5)}
    for target, (name, value) in changed.items():
        info = next((info for info in describe(NODES[target]) if info.name == name), None)
        if info is None:
            continue
        assert asker.set(target, name, value)[0]
    time.sleep(0.1)
    for target in RUNNING:
        command = ["ros2", "param", "dump", f"/face_af/{target}"]
        dump = subprocess.run(command, capture_output=True, text=True, timeout=90)
        assert dump.returncode == 0, dump.stderr
        dumped = yaml.safe_load(dump.stdout)[f"/face_af/{target}"]["ros__parameters"]
        for info in describe(NODES[target]):
            place = dumped
            for part in info.name.split("."):
                assert part in place, f"{target} {info.name} is not dumped"
                place = place[part]
            if target in changed and info.name == changed[target][0]:
                assert place == changed[target][1]
