"""No request to a node's parameter services ends the node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import rclpy
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters, SetParametersAtomically
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from face_af_common.ros_domain import claim_domain, release_domain
from face_af_common.services import guard_parameter_services

UNKNOWN_TYPE = ParameterValue(type=11)


class Asked:
    """A node with a parameter ``speed``, and somebody who asks its services."""

    def __init__(self, context: Context) -> None:
        self.node = Node("asked", context=context)
        self.node.declare_parameter("speed", 1.0)
        guard_parameter_services(self.node)
        self._stranger = Node("stranger", context=context)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self._executor.add_node(self._stranger)
        self._clients: dict[str, Any] = {}

    def ask(self, kind: Any, name: str, **fields: Any) -> Any:
        if name not in self._clients:
            self._clients[name] = self._stranger.create_client(kind, f"asked/{name}")
        assert self._clients[name].wait_for_service(10.0)
        answer = self._clients[name].call_async(kind.Request(**fields))
        self._executor.spin_until_future_complete(answer, 10.0)
        assert answer.done()
        return answer.result()

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        self._stranger.destroy_node()


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    domain, context = claim_domain(), Context()
    rclpy.init(context=context, domain_id=domain)
    asked = Asked(context)
    yield asked
    asked.close()
    rclpy.shutdown(context=context)
    release_domain(domain)


def speed(value: float) -> Parameter:
    return Parameter(name="speed", value=ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value))


def test_a_type_that_does_not_exist_is_refused_and_what_stands_before_it_is_done(asked: Asked) -> None:
    bad = Parameter(name="speed", value=UNKNOWN_TYPE)
    results = asked.ask(SetParameters, "set_parameters", parameters=[speed(2.0), bad, speed(3.0)]).results
    assert [result.successful for result in results] == [True, False, False]
    assert "not understood: ValueError" in results[1].reason
    assert asked.node.get_parameter("speed").value == 2.0


def test_together_means_all_or_nothing(asked: Asked) -> None:
    asked.ask(SetParameters, "set_parameters", parameters=[speed(2.0)])
    bad = Parameter(name="speed", value=UNKNOWN_TYPE)
    result = asked.ask(SetParametersAtomically, "set_parameters_atomically", parameters=[speed(5.0), bad]).result
    assert not result.successful and "not understood" in result.reason
    assert asked.node.get_parameter("speed").value == 2.0


@examples(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    name=st.one_of(st.just("speed"), st.text(st.characters(blacklist_categories=["Cs"]), max_size=30)),
    kind=st.integers(0, 255),
    number=st.floats(allow_nan=True),
)
def test_whatever_is_asked_the_node_answers_the_next_one(asked: Asked, name: str, kind: int, number: float) -> None:
    name = name.replace("\0", "")
    value = ParameterValue(type=kind, double_value=number, string_value=name)
    asked.ask(SetParameters, "set_parameters", parameters=[Parameter(name=name, value=value)])
    asked.ask(DescribeParameters, "describe_parameters", names=[name])
    asked.ask(SetParameters, "set_parameters", parameters=[speed(4.0)])
    assert asked.ask(GetParameters, "get_parameters", names=["speed"]).values[0].double_value == 4.0
