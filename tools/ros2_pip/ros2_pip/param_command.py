"""``ros2 param``."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import yaml
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.parameter import get_parameter_value, parameter_value_to_python

from .graph import Graph, absolute, add_graph_arguments, graph
from .main import CommandError

_KINDS = {
    ParameterType.PARAMETER_NOT_SET: ("not set", "Parameter not set."),
    ParameterType.PARAMETER_BOOL: ("boolean", "Boolean value is:"),
    ParameterType.PARAMETER_INTEGER: ("integer", "Integer value is:"),
    ParameterType.PARAMETER_DOUBLE: ("double", "Double value is:"),
    ParameterType.PARAMETER_STRING: ("string", "String value is:"),
    ParameterType.PARAMETER_BYTE_ARRAY: ("byte array", "Byte values are:"),
    ParameterType.PARAMETER_BOOL_ARRAY: ("boolean array", "Boolean values are:"),
    ParameterType.PARAMETER_INTEGER_ARRAY: ("integer array", "Integer values are:"),
    ParameterType.PARAMETER_DOUBLE_ARRAY: ("double array", "Double values are:"),
    ParameterType.PARAMETER_STRING_ARRAY: ("string array", "String values are:"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)

    def add(name: str, text: str, main: Any) -> argparse.ArgumentParser:
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--include-hidden-nodes", action="store_true", help="hidden nodes as well")
        verb.add_argument(
            "--timeout", type=float, metavar="N", default=5.0, help="seconds to wait for the node, and for each answer"
        )
        add_graph_arguments(verb)
        verb.set_defaults(main=main)
        return verb

    verb = add("list", "names of parameters of a node, or of all", list_parameters)
    verb.add_argument("node_name", nargs="?")
    verb.add_argument("--param-prefixes", nargs="+", default=[], help="only names that start like this")
    verb.add_argument("--param-type", action="store_true", help="types as well")
    verb = add("get", "value of a parameter", get)
    verb.add_argument("node_name")
    verb.add_argument("parameter_name")
    verb.add_argument("--hide-type", action="store_true", help="the value only")
    verb = add("set", "change a parameter", set_parameter)
    verb.add_argument("node_name")
    verb.add_argument("parameter_name")
    verb.add_argument("value", help="as in YAML: 1 is an integer, 1.0 a double")
    verb = add("delete", "remove a parameter that its node has not declared", delete)
    verb.add_argument("node_name")
    verb.add_argument("parameter_name")
    verb = add("describe", "type, range and description of parameters", describe)
    verb.add_argument("node_name")
    verb.add_argument("parameter_names", nargs="+")
    verb = add("dump", "all parameters of a node as a YAML file", dump)
    verb.add_argument("node_name")
    verb = add("load", "set parameters from a YAML file", load)
    verb.add_argument("node_name")
    verb.add_argument("parameter_file")
    verb.add_argument("--no-use-wildcard", action="store_true", help="ignore what stands under /**")


class RemoteParameters:
    """Parameters of another node, through its services."""

    def __init__(self, g: Graph, node: str, timeout: float = 5.0) -> None:
        g.find_node(node, timeout)
        self.node = absolute(node)
        self._graph = g
        self._timeout = timeout

    def names(self, prefixes: list[str]) -> list[str]:
        answer = self._ask("list_parameters", ListParameters, ListParameters.Request(prefixes=prefixes))
        return sorted(answer.result.names)

    def get(self, names: list[str]) -> list[ParameterValue]:
        return list(self._ask("get_parameters", GetParameters, GetParameters.Request(names=names)).values)

    def describe(self, names: list[str]) -> list[Any]:
        request = DescribeParameters.Request(names=names)
        return list(self._ask("describe_parameters", DescribeParameters, request).descriptors)

    def set(self, values: dict[str, ParameterValue]) -> list[Any]:
        parameters = [Parameter(name=name, value=value) for name, value in values.items()]
        return list(self._ask("set_parameters", SetParameters, SetParameters.Request(parameters=parameters)).results)

    def _ask(self, service: str, kind: type, request: Any) -> Any:
        return self._graph.call(kind, f"{self.node}/{service}", request, self._timeout, repeatable=True)


def list_parameters(args: argparse.Namespace) -> None:
    with graph(args) as g:
        if args.node_name is None:
            g.settle()
        nodes = [args.node_name] if args.node_name else g.node_names(args.include_hidden_nodes)
        for node in nodes:
            try:
                remote = RemoteParameters(g, node, args.timeout)
                names = remote.names(args.param_prefixes)
            except CommandError as error:
                if args.node_name:
                    raise
                print(f"{node}: {error}", file=sys.stderr)
                continue
            if args.node_name is None and names:
                print(f"{node}:")
            kinds = {d.name: _KINDS[d.type][0] for d in remote.describe(names)} if args.param_type else {}
            for name in names:
                print(f"  {name} (type: {kinds[name]})" if args.param_type else f"  {name}")


def get(args: argparse.Namespace) -> None:
    with graph(args) as g:
        values = RemoteParameters(g, args.node_name, args.timeout).get([args.parameter_name])
    if not values:
        raise CommandError("Parameter not set")
    value, label = parameter_value_to_python(values[0]), _KINDS[values[0].type][1]
    if value is None:
        print(label)
        return
    shown = list(value) if not isinstance(value, (bool, int, float, str)) else value
    print(shown if args.hide_type else f"{label} {shown}")


def set_parameter(args: argparse.Namespace) -> int:
    value = get_parameter_value(args.value)
    with graph(args) as g:
        remote = RemoteParameters(g, args.node_name, args.timeout)
        (result,) = remote.set({args.parameter_name: value})
    if not result.successful and value.type == ParameterType.PARAMETER_INTEGER and "type" in result.reason:
        result.reason += f" (if it is a double, write {value.integer_value}.0)"
    return _report(result, "Set parameter successful", "Setting parameter failed")


def delete(args: argparse.Namespace) -> int:
    with graph(args) as g:
        remote = RemoteParameters(g, args.node_name, args.timeout)
        (result,) = remote.set({args.parameter_name: ParameterValue(type=ParameterType.PARAMETER_NOT_SET)})
    return _report(result, "Deleted parameter successfully", "Deleting parameter failed")


def _report(result: Any, success: str, failure: str) -> int:
    reason = f": {result.reason}" if result.reason else ""
    if result.successful:
        print(success + reason)
        return 0
    print(failure + reason, file=sys.stderr)
    return 1


def describe(args: argparse.Namespace) -> None:
    with graph(args) as g:
        descriptors = RemoteParameters(g, args.node_name, args.timeout).describe(args.parameter_names)
    for descriptor in descriptors:
        print(f"Parameter name: {descriptor.name}\n  Type: {_KINDS[descriptor.type][0]}")
        if descriptor.description:
            print(f"  Description: {descriptor.description}")
        print("  Constraints:")
        if descriptor.read_only:
            print("    Read only: true")
        for limits in [*descriptor.floating_point_range, *descriptor.integer_range]:
            print(f"    Min value: {limits.from_value}\n    Max value: {limits.to_value}")
            if limits.step:
                print(f"    Step: {limits.step}")
        if descriptor.additional_constraints:
            print(f"    Additional constraints: {descriptor.additional_constraints}")


def dump(args: argparse.Namespace) -> None:
    with graph(args) as g:
        remote = RemoteParameters(g, args.node_name, args.timeout)
        names = remote.names([])
        values = [parameter_value_to_python(value) for value in remote.get(names)]
    tree: dict[str, Any] = {}
    for name, value in zip(names, values, strict=True):
        *groups, last = name.split(".")
        level = tree
        for group in groups:
            level = level.setdefault(group, {})
        level[last] = value if isinstance(value, (bool, int, float, str, type(None))) else list(value)
    print(yaml.safe_dump({absolute(args.node_name): {"ros__parameters": tree}}, default_flow_style=False))


def load(args: argparse.Namespace) -> int:
    values = read_parameter_file(args.parameter_file, absolute(args.node_name), not args.no_use_wildcard)
    status = 0
    with graph(args) as g:
        remote = RemoteParameters(g, args.node_name, args.timeout)
        results = remote.set({name: get_parameter_value(_yaml_text(value)) for name, value in values.items()})
    for name, result in zip(values, results, strict=True):
        status |= _report(result, f"Set parameter {name} successful", f"Set parameter {name} failed")
    return status


def _yaml_text(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("\n").removesuffix("...").strip()


def read_parameter_file(path: str, node: str, use_wildcard: bool) -> dict[str, Any]:
    """Flat ``{name: value}`` of the sections that concern ``node``, the more specific ones winning."""
    try:
        with open(path, encoding="utf-8") as file:
            content = yaml.safe_load(file)
    except (OSError, yaml.YAMLError) as error:
        raise CommandError(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise CommandError(f"{path}: node names with ros__parameters are needed at the top level")
    short = node.rpartition("/")[2]
    flat: dict[str, Any] = {}
    for section in (*(("/**",) if use_wildcard else ()), f"/**/{short}", short, node, node.lstrip("/")):
        part = content.get(section)
        if isinstance(part, dict) and isinstance(part.get("ros__parameters"), dict):
            _flatten(part["ros__parameters"], "", flat)
    if not flat:
        raise CommandError(f"{path}: there is nothing for {node} in it")
    return flat


def _flatten(tree: dict[str, Any], prefix: str, into: dict[str, Any]) -> None:
    for name, value in tree.items():
        if isinstance(value, dict):
            _flatten(value, f"{prefix}{name}.", into)
        else:
            into[prefix + name] = value
