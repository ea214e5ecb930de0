"""Actions about ROS nodes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from launch import Action, Condition
from launch._limits import unsupplied
from launch._log import log
from launch.actions import ExecuteProcess
from launch.substitutions import SomeSubstitutionsType, normalize, perform
from rclpy.validate_namespace import validate_namespace
from rclpy.validate_node_name import validate_node_name

from .parameter_descriptions import ParameterFile, evaluate_parameters
from .substitutions import ExecutableInPackage

if TYPE_CHECKING:
    from launch import LaunchContext

__all__ = [
    "Node",
    "PushRosNamespace",
    "SetParameter",
    "SetRemap",
]

__getattr__ = unsupplied(__name__)

Parameters = Mapping[Any, Any] | ParameterFile | os.PathLike[str] | SomeSubstitutionsType
Remappings = Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]]


class Node(ExecuteProcess):
    """Starts a node. The other arguments are those of :class:`launch.actions.ExecuteProcess`, without ``cmd``.

    ``parameters``: a list of dictionaries, YAML files and :class:`ParameterFile`; later ones win.
    """

    def __init__(
        self,
        *,
        executable: SomeSubstitutionsType,
        package: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        namespace: SomeSubstitutionsType | None = None,
        exec_name: SomeSubstitutionsType | None = None,
        parameters: Sequence[Parameters] | None = None,
        remappings: Remappings | None = None,
        ros_arguments: Iterable[SomeSubstitutionsType] | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
        **process: Any,
    ) -> None:
        if "cmd" in process:
            raise TypeError("Node: give executable and arguments, not cmd")
        program = executable if package is None else ExecutableInPackage(package=package, executable=executable)
        super().__init__(cmd=[program, *(arguments or ())], name=exec_name, **process)
        if isinstance(parameters, (str, Mapping)):
            raise TypeError(f"Node: parameters must be a list, got {parameters!r}")
        self._node_name = None if name is None else normalize(name)
        self._namespace = None if namespace is None else normalize(namespace)
        self._parameters = [
            given if isinstance(given, (Mapping, ParameterFile)) else ParameterFile(given) for given in parameters or ()
        ]
        self._remappings = list(remappings or ())
        self._ros_arguments = [normalize(argument) for argument in ros_arguments or ()]

    def full_command(self, context: LaunchContext) -> list[str]:
        command = super().full_command(context)
        if self._ros_arguments:
            command += ["--ros-args", *(perform(context, argument) for argument in self._ros_arguments)]
        command += ["--ros-args"]
        name = None if self._node_name is None else perform(context, self._node_name)
        if name is not None:
            validate_node_name(name)
            command += ["-r", f"__node:={name}"]
        own = None if self._namespace is None else perform(context, self._namespace)
        namespace = _joined(context.launch_configurations.get("ros_namespace"), own)
        if namespace is not None:
            validate_namespace(namespace)
            command += ["-r", f"__ns:={namespace}"]
        for parameter, value in context.launch_configurations.get("global_params", ()):
            command += ["-p", f"{parameter}:={value}"]
        section = "/**" if name is None or namespace is None else f"{namespace.rstrip('/')}/{name}"
        for given in self._parameters:
            path = self._parameter_file(context, given, section)
            if path is not None:
                command += ["--params-file", path]
        for source, target in context.launch_configurations.get("ros_remaps", ()):
            command += ["-r", f"{source}:={target}"]
        for source, target in self._remappings:
            command += ["-r", f"{perform(context, source)}:={perform(context, target)}"]
        return command

    @staticmethod
    def _parameter_file(context: LaunchContext, given: Mapping[Any, Any] | ParameterFile, section: str) -> str | None:
        if isinstance(given, ParameterFile):
            path = given.evaluate(context)
            if not Path(path).is_file():
                log.warning("launch_ros.actions.node", f"Parameter file path is not a file: {path}")
                return None
            return path
        content = {section: {"ros__parameters": evaluate_parameters(context, given)}}
        return context.temporary_file(yaml.safe_dump(content, default_flow_style=False))


class PushRosNamespace(Action):
    """A namespace for the nodes that follow in this scope, below the one that is in force."""

    def __init__(self, namespace: SomeSubstitutionsType, *, condition: Condition | None = None) -> None:
        super().__init__(condition=condition)
        self._namespace = normalize(namespace)

    def execute(self, context: LaunchContext) -> None:
        namespace = _joined(context.launch_configurations.get("ros_namespace"), perform(context, self._namespace))
        validate_namespace(namespace)
        context.launch_configurations["ros_namespace"] = namespace


class SetParameter(Action):
    """A parameter for the nodes that follow in this scope."""

    def __init__(self, name: SomeSubstitutionsType, value: Any, *, condition: Condition | None = None) -> None:
        super().__init__(condition=condition)
        self._name, self._value = tuple(normalize(name)), value

    def execute(self, context: LaunchContext) -> None:
        earlier = context.launch_configurations.get("global_params", ())
        evaluated = evaluate_parameters(context, {self._name: self._value})
        context.launch_configurations["global_params"] = (*earlier, *evaluated.items())


class SetRemap(Action):
    """A remapping for the nodes that follow in this scope."""

    def __init__(
        self, src: SomeSubstitutionsType, dst: SomeSubstitutionsType, *, condition: Condition | None = None
    ) -> None:
        super().__init__(condition=condition)
        self._src, self._dst = normalize(src), normalize(dst)

    def execute(self, context: LaunchContext) -> None:
        earlier = context.launch_configurations.get("ros_remaps", ())
        rule = perform(context, self._src), perform(context, self._dst)
        context.launch_configurations["ros_remaps"] = (*earlier, rule)


def _joined(base: str | None, namespace: str | None) -> str | None:
    """``namespace`` below ``base`` unless it is absolute itself, absolute; None where there is neither."""
    if namespace is None:
        joined = base
    elif not base or namespace.startswith("/"):
        joined = namespace
    else:
        joined = f"{base.rstrip('/')}/{namespace}"
    if joined is None:
        return None
    return "/" + joined.strip("/")
