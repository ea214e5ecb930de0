"""tools/ros2_pip: substitutions, conditions and values of the stand-in for `launch` and `launch_ros`."""

from __future__ import annotations

import pytest
from processes import uses_stand_in

if not uses_stand_in():
    pytest.skip("a real ROS 2 is used here", allow_module_level=True)

import launch
from launch import LaunchContext
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import (
    EnvironmentVariable,
    LaunchConfiguration,
    PathJoinSubstitution,
    PythonExpression,
    SubstitutionFailure,
)
from launch_ros.parameter_descriptions import ParameterValue, evaluate_parameters


def test_substitutions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACE_AF_T", "here")
    context = LaunchContext()
    context.launch_configurations["n"] = "3"
    n = LaunchConfiguration("n")
    assert PathJoinSubstitution(["a", [n, ".yaml"]]).perform(context) == "a/3.yaml"
    assert PythonExpression([n, " + floor(1.5)"]).perform(context) == "4"
    assert EnvironmentVariable("FACE_AF_T").perform(context) == "here"
    assert EnvironmentVariable("FACE_AF_U", default_value=["x", n]).perform(context) == "x3"
    with pytest.raises(SubstitutionFailure, match="FACE_AF_U"):
        EnvironmentVariable("FACE_AF_U").perform(context)
    with pytest.raises(SubstitutionFailure, match="1/0"):
        PythonExpression("1/0").perform(context)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), (" True ", True), ("1", True), ("FALSE", False), ("0", False)]
)
def test_conditions(text: str, value: bool) -> None:
    context = LaunchContext()
    assert IfCondition(text).evaluate(context) is value
    assert UnlessCondition(text).evaluate(context) is not value


def test_a_condition_is_true_or_false() -> None:
    with pytest.raises(launch.conditions.InvalidConditionExpressionError, match="maybe"):
        IfCondition("maybe").evaluate(LaunchContext())


def test_parameter_values() -> None:
    context = LaunchContext()
    context.launch_configurations.update(number="2", words="[a, b]", empty="")
    number = LaunchConfiguration("number")
    tree = {
        "text": "2",
        "number": number,
        "joined": [number, "5"],
        "deep": {"words": LaunchConfiguration("words"), "mixed": [1, 2.0]},
        "float": ParameterValue(number, value_type=float),
        "floats": ParameterValue(["[1, ", number, ".5]"], value_type=list[float]),
        "empty": LaunchConfiguration("empty"),
    }
    assert evaluate_parameters(context, tree) == {
        "text": "2",
        "number": 2,
        "joined": 25,
        "deep.words": ["a", "b"],
        "deep.mixed": [1.0, 2.0],
        "float": 2.0,
        "floats": [1.0, 2.5],
        "empty": "",
    }
    for wrong in (
        {"x": []},
        {"x": [1, "a"]},
        {"x": None},
        {"x": ParameterValue(LaunchConfiguration("words"), value_type=int)},
    ):
        with pytest.raises(TypeError, match="parameter x"):
            evaluate_parameters(context, wrong)


def test_a_plain_value_must_have_the_stated_type() -> None:
    for value, kind in (("5", int), (5, float), (5, str), ([1, 2], list[float])):
        with pytest.raises(TypeError, match="not an instance"):
            ParameterValue(value, value_type=kind)


def test_declared_arguments_are_consistent() -> None:
    with pytest.raises(RuntimeError, match="none of"):
        DeclareLaunchArgument("a", default_value="x", choices=["y"])
    with pytest.raises(RuntimeError, match="choices is empty"):
        DeclareLaunchArgument("a", choices=[])
