from __future__ import annotations

from collections.abc import Iterator

import pytest
import rclpy
from examples import Params, Range
from rclpy.node import Node
from rclpy.parameter import Parameter

from face_af_common.live_parameters import LiveParameters
from face_af_common.node_main import StartError, run_node


@pytest.fixture
def node() -> Iterator[Node]:
    context = rclpy.Context()
    rclpy.init(context=context)
    made = Node("tested", context=context)
    yield made
    made.destroy_node()
    rclpy.shutdown(context=context)


def test_changes_are_taken_together_or_not_at_all(node: Node) -> None:
    live = LiveParameters(node, Params)
    heard: list[Params] = []
    live.on_change(heard.append)
    low, high = Parameter("range.low", value=0.9), Parameter("range.high", value=0.95)
    refused = node.set_parameters_atomically([low])
    assert not refused.successful
    assert "must not exceed" in refused.reason
    assert live.value == Params()
    assert node.set_parameters_atomically([low, high]).successful
    assert live.value.range == Range(0.9, 0.95)
    assert node.set_parameters_atomically([Parameter("size", value=[320, 192])]).successful
    assert live.value.size == (320, 192)
    assert heard[-1] == live.value


def test_foreign_parameters_are_not_ours_to_refuse(node: Node) -> None:
    LiveParameters(node, Params)
    node.declare_parameter("other", 1)
    assert node.set_parameters([Parameter("other", value=2)])[0].successful
    assert node.set_parameters([Parameter("use_sim_time", value=True)])[0].successful


def test_descriptors_say_range_and_unit(node: Node) -> None:
    LiveParameters(node, Params)
    descriptor = node.describe_parameter("rate")
    assert descriptor.description == "Frames a second [Hz]"
    assert descriptor.floating_point_range[0].to_value == 120.0


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("rate:=1", "write 1.0"),
        ("rate:=500.0", "outside 1.0 to 120.0 Hz"),
        ("rte:=5.0", "did you mean rate?"),
        ("range.low:=0.9", "must not exceed"),
    ],
)
def test_a_wrong_start_value_ends_the_node_with_one_line(
    argument: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    class Tested(Node):
        def __init__(self) -> None:
            super().__init__("tested")
            LiveParameters(self, Params)

    assert run_node(Tested, ["--ros-args", "-p", argument]) == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if "FATAL" in line]
    assert len(lines) == 1
    assert told in lines[0]


def test_a_node_that_cannot_start_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    def make() -> Node:
        raise StartError("no disk")

    assert run_node(make, []) == 2
    assert "[FATAL] no disk" in capfd.readouterr().err
