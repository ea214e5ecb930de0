"""A parameter dataclass (:mod:`face_af_common.params`) as live ROS parameters of a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from .live_state import LiveState
from .params import ParamError, ParamInfo, build, changed, describe, suggestion

P = TypeVar("P")

_FOREIGN = ("use_sim_time", "start_type_description_service", "qos_overrides.")
"""Parameters that rclpy itself declares on every node."""
_CHOSEN = "parameters"
"""Key of the live state."""


class LiveParameters(Generic[P]):
    """Declares every parameter of ``kind`` on ``node`` and keeps :attr:`value` up to date.

    What ``ros2 param set`` asks for is checked together; either all of it is accepted or nothing, with
    the reason, and only what the node has accepted is applied. :attr:`value` is replaced, never changed, so
    a reader that takes it once per frame sees a consistent set. A process that replaces another one goes on
    with what was set there (:mod:`.live_state`). Raises :class:`ParamError` for a wrong value at start-up or
    an override that no parameter takes.
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
        self.state = LiveState(node.get_fully_qualified_name())
        """What else the node keeps for the process that replaces it."""
        self._restore()
        node.add_on_set_parameters_callback(self._check)
        _after_set(node, self._apply)

    def on_change(self, listener: Callable[[P], None]) -> None:
        """Calls ``listener`` with the new value after every change, in the executor's thread.

        It must not raise, and must not take long.
        """
        self._listeners.append(listener)

    def _restore(self) -> None:
        """Sets what was set in the process before this one."""
        chosen = self.state.get(_CHOSEN)
        if not isinstance(chosen, dict):
            return
        try:
            self.value = changed(self.value, chosen)
        except ParamError:  # of another version
            return
        kinds = {name: self._node.get_parameter(name).type_ for name in chosen}
        self._node.set_parameters([Parameter(name, kinds[name], value) for name, value in chosen.items()])

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

    def _changes(self, parameters: list[Parameter]) -> dict[str, Any]:
        return {
            p.name: list(p.value) if p.type_.name.endswith("_ARRAY") else p.value
            for p in parameters
            if p.name in self._names
        }

    def _check(self, parameters: list[Parameter]) -> SetParametersResult:
        try:
            changed(self.value, self._changes(parameters))
        except ParamError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _apply(self, parameters: list[Parameter]) -> None:
        changes = self._changes(parameters)
        if not changes:
            return
        self.value = changed(self.value, changes)
        self.state.keep(_CHOSEN, {**(self.state.get(_CHOSEN) or {}), **changes})
        for listener in self._listeners:
            listener(self.value)


def _after_set(node: Node, callback: Callable[[list[Parameter]], None]) -> None:
    """Calls ``callback`` with what has been accepted; Humble's rclpy has no callback of its own for that."""
    if hasattr(node, "add_post_set_parameters_callback"):
        node.add_post_set_parameters_callback(callback)
        return
    set_atomically = node._set_parameters_atomically

    def set_and_tell(parameters: list[Parameter], *args: Any, **kwargs: Any) -> SetParametersResult:
        result = set_atomically(parameters, *args, **kwargs)
        if result.successful:
            callback(parameters)
        return result

    node._set_parameters_atomically = set_and_tell


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
