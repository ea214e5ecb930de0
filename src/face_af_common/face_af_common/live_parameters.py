"""A parameter dataclass (:mod:`face_af_common.params`) as live ROS parameters of a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from .params import ParamError, ParamInfo, build, changed, describe, suggestion

P = TypeVar("P")

_FOREIGN = ("use_sim_time", "start_type_description_service", "qos_overrides.")
"""Parameters that rclpy itself declares on every node."""


class LiveParameters(Generic[P]):
    """Declares every parameter of ``kind`` on ``node`` and keeps :attr:`value` up to date.

    What ``ros2 param set`` asks for is checked together; either all of it is applied or nothing, with
    the reason. :attr:`value` is replaced, never changed, so a reader that takes it once per frame sees
    a consistent set. Raises :class:`ParamError` for a wrong value at start-up or an override that
    no parameter takes.
    """

    def __init__(self, node: Node, kind: type[P]) -> None:
        self._listeners: list[Callable[[P], None]] = []
        self._node = node
        infos = {info.name: info for info in describe(kind)}
        self._reject_unknown(infos)
        flat: dict[str, Any] = {}
        for info in infos.values():
            flat[info.name] = self._declare(info)
        self.value: P = build(kind, flat)
        self._names = set(infos)
        node.add_on_set_parameters_callback(self._on_set)

    def on_change(self, listener: Callable[[P], None]) -> None:
        """Calls ``listener`` with the new value after every accepted change. It must not raise."""
        self._listeners.append(listener)

    def _reject_unknown(self, infos: dict[str, ParamInfo]) -> None:
        declared = {*infos, *(name for name in self._node._parameters)}
        for name in self._node._parameter_overrides:
            if name not in declared and not name.startswith(_FOREIGN):
                raise ParamError(f"there is no parameter {name}{suggestion(name, declared)}")

    def _declare(self, info: ParamInfo) -> Any:
        default = list(info.default) if info.type is tuple else info.default
        try:
            parameter = self._node.declare_parameter(info.name, default, _descriptor(info))
        except InvalidParameterTypeException as error:
            got = self._node._parameter_overrides[info.name].value
            hint = f" (write {float(got)})" if info.type is float and type(got) is int else ""
            raise ParamError(f"{info.name}: {info.type.__name__} is needed, got {got!r}{hint}") from error
        except InvalidParameterValueException as error:
            # rclpy checks the descriptor's range itself; our own text names range and unit.
            info.check(self._node._parameter_overrides[info.name].value)
            raise ParamError(str(error)) from error
        value = parameter.value
        # rosidl hands arrays out as array.array
        return list(value) if info.type is tuple else value

    def _on_set(self, parameters: list[Parameter]) -> SetParametersResult:
        changes = {
            p.name: list(p.value) if p.type_.name.endswith("_ARRAY") else p.value
            for p in parameters
            if p.name in self._names
        }
        if not changes:
            return SetParametersResult(successful=True)
        try:
            value = changed(self.value, changes)
        except ParamError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self.value = value
        for listener in self._listeners:
            listener(value)
        return SetParametersResult(successful=True)


def _descriptor(info: ParamInfo) -> ParameterDescriptor:
    text = info.description + (f" [{info.unit}]" if info.unit else "")
    descriptor = ParameterDescriptor(description=text, read_only=info.read_only)
    if info.choices:
        descriptor.additional_constraints = "one of: " + ", ".join(info.choices)
    if info.low is not None and info.high is not None:
        if info.type is int:
            descriptor.integer_range = [IntegerRange(from_value=int(info.low), to_value=int(info.high), step=0)]
        elif info.type is float:
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(info.low), to_value=float(info.high), step=0.0)
            ]
    return descriptor
