"""Parameters of a replay: as recorded, then from a YAML file, then single values; and back to YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from face_af_common import yaml_files
from face_af_common.node_params import NODES
from face_af_common.param_files import check_file, flatten
from face_af_common.params import ParamError, ParamInfo, describe, suggestion

STAGES = ("perception", "overlay", "speaker", "steering")
"""What a replay can compute anew, in the order of the graph."""
USUAL = ("perception", "overlay", "steering")
"""What it does unless told otherwise: few recordings hold sound."""

NOTHING = "none"
"""In place of stages: everything is as recorded."""


def stages_of(text: str) -> list[str]:
    """What a list with commas names, unchecked; :data:`NOTHING` is an empty list."""
    return [stage.strip() for stage in text.split(",") if stage.strip() not in ("", NOTHING)]


Parameters = Mapping[str, Mapping[str, Any]]
"""``{node: {parameter: value}}``; what is absent has its default."""


def from_file(path: Path) -> dict[str, dict[str, Any]]:
    """``{node: {parameter: value}}`` of a ROS parameter file. Raises ``ParamError`` for what no node knows."""
    check_file(path, NODES)
    found: dict[str, dict[str, Any]] = {}
    for section, content in (yaml_files.load(path) or {}).items():
        node = str(section).rsplit("/", 1)[-1]
        if node in NODES:
            found.setdefault(node, {}).update(flatten(content.get("ros__parameters", {})))
            found[node].pop("use_sim_time", None)
    return found


def resolve(name: str) -> tuple[str, str]:
    """Node and parameter of ``node.parameter``, or of a parameter name that one node alone has. ``ParamError``."""
    node, _, parameter = name.partition(".")
    if node in NODES:
        if parameter in {info.name for info in describe(NODES[node])}:
            return node, parameter
        raise ParamError(
            f"{node} has no parameter {parameter}{suggestion(parameter, [i.name for i in describe(NODES[node])])}"
        )
    owners = [node for node in NODES if name in {info.name for info in describe(NODES[node])}]
    if len(owners) == 1:
        return owners[0], name
    if owners:
        raise ParamError(f"{name}: several nodes have it, write {' or '.join(f'{owner}.{name}' for owner in owners)}")
    every = [f"{node}.{info.name}" for node in NODES for info in describe(NODES[node])]
    raise ParamError(f"there is no parameter {name}{suggestion(name, every)}")


def assignments(texts: Iterable[str]) -> dict[str, dict[str, Any]]:
    """``node.parameter=value`` texts, values as in YAML. ``ParamError``."""
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParamError(f"{text}: write node.parameter=value")
        node, parameter = resolve(name.strip())
        info = next(info for info in describe(NODES[node]) if info.name == parameter)
        found.setdefault(node, {})[parameter] = typed(info, value)
    return found


def typed(info: ParamInfo, text: str) -> Any:
    """The value that ``text`` means for a parameter: as in YAML, but texts are taken as they are."""
    if info.type is str:
        return text.strip()
    try:
        return yaml_files.parse(text, info.name)
    except yaml_files.YamlError as error:
        raise ParamError(f"{info.name}: {text!r} is not a value") from error


def merged(*layers: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Later layers win, parameter by parameter."""
    result: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for node, values in layer.items():
            result.setdefault(node, {}).update(values)
    return result


def to_yaml(parameters: Mapping[str, Mapping[str, Any]], comment: str = "") -> str:
    """A ROS parameter file of some values."""
    tree: dict[str, Any] = {}
    for node, values in parameters.items():
        branch = tree.setdefault(f"/**/{node}", {}).setdefault("ros__parameters", {})
        for name, value in values.items():
            place = branch
            *path, leaf = name.split(".")
            for step in path:
                place = place.setdefault(step, {})
            place[leaf] = list(value) if isinstance(value, tuple) else value
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    return head + yaml.safe_dump(tree, sort_keys=False)
