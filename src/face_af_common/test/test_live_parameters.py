from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import rclpy
from examples import Params, Range
from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from face_af_common.live_parameters import LiveParameters
from face_af_common.live_state import SESSION
from face_af_common.runtime import StartError, run_nodes


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


@pytest.mark.parametrize("humble", [False, True])
def test_what_the_node_refuses_after_all_is_not_applied(
    node: Node, humble: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if humble:  # its rclpy calls nothing after a change
        monkeypatch.delattr(Node, "add_post_set_parameters_callback")
    live = LiveParameters(node, Params)
    heard: list[Params] = []
    live.on_change(heard.append)
    refuse = SetParametersResult(successful=False, reason="not now")
    node.add_on_set_parameters_callback(lambda parameters: refuse)
    assert not node.set_parameters([Parameter("rate", value=25.0)])[0].successful
    assert (live.value, heard) == (Params(), [])
    refuse.successful = True
    assert node.set_parameters([Parameter("rate", value=25.0)])[0].successful
    assert live.value.rate == 25.0
    assert heard == [live.value]


def test_what_was_set_survives_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SESSION, str(tmp_path))
    changes = [Parameter("rate", value=25.0), Parameter("size", value=[320, 192])]
    for life in range(2):
        context = rclpy.Context()
        rclpy.init(context=context, args=["--ros-args", "-p", "rate:=50.0", "-p", "mode:=left"])
        node = Node("tested", context=context)
        live = LiveParameters(node, Params)
        if life == 0:
            assert live.value.rate == 50.0
            assert node.set_parameters_atomically(changes).successful
            assert not node.set_parameters([Parameter("rate", value=5000.0)])[0].successful
        assert live.value.rate == node.get_parameter("rate").value == 25.0
        assert live.value.size == tuple(node.get_parameter("size").value) == (320, 192)
        assert live.value.mode == "left"
        node.destroy_node()
        rclpy.shutdown(context=context)


def test_choices_that_do_not_fit_any_more_are_left(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SESSION, str(tmp_path))
    (tmp_path / "tested.json").write_text('{"parameters": {"gone": 1, "rate": 25.0}}')
    assert LiveParameters(node, Params).value == Params()


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

    assert run_nodes({"tested": Tested}, ["--ros-args", "-p", argument]) == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if "FATAL" in line]
    assert len(lines) == 1
    assert told in lines[0]


def test_a_node_that_cannot_start_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    def make() -> Node:
        raise StartError("no disk")

    assert run_nodes({"tested": make}, []) == 2
    assert "[FATAL] no disk" in capfd.readouterr().err
