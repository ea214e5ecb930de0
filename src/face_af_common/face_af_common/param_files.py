"""The YAML file and the documentation's tables, derived from the parameter dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .params import ParamError, ParamInfo, build, describe
from .yaml_files import YamlError, load


def to_yaml(nodes: Mapping[str, type]) -> str:
    """A ROS parameter file with every parameter of every node, each explained by a comment."""
    lines = [
        "# Every parameter of face_af with its default; written from the code by",
        "#   ./run ros2 run face_af parameters --yaml",
        "# Copy it, keep the lines that you change, and give it as params_file:=FILE.",
    ]
    for node, kind in nodes.items():
        lines += ["", f"/**/{node}:", "  ros__parameters:"]
        groups: list[str] = []
        for info in describe(kind):
            *path, leaf = info.name.split(".")
            for depth, name in enumerate(path):
                if groups[: depth + 1] != path[: depth + 1]:
                    groups = path[: depth + 1]
                    lines.append("  " * (depth + 2) + f"{name}:")
            groups = path
            pad = "  " * (len(path) + 2)
            lines.append(f"{pad}# {_comment(info)}")
            lines.append(f"{pad}{leaf}: {_scalar(info.default)}")
    return "\n".join(lines) + "\n"


def to_markdown(kind: type) -> str:
    """A Markdown table of a node's parameters."""
    rows = ["| parameter | default | range | what it does |", "| --- | --- | --- | --- |"]
    for info in describe(kind):
        unit = f" {info.unit}" if info.unit else ""
        what = info.description + (" (read-only)" if info.read_only else "")
        cells = [f"`{info.name}`", f"`{_scalar(info.default)}`{unit}", info.range_text, what]
        rows.append(f"| {' | '.join(cell.replace('|', 'or') for cell in cells)} |")
    return "\n".join(rows) + "\n"


def check_file(path: str | Path, nodes: Mapping[str, type]) -> None:
    """Checks a ROS parameter file against the nodes; :class:`ParamError` names file, node and key.

    A section may be keyed ``/namespace/node``, ``/**/node`` or ``/**``.
    """
    try:
        data = load(path)
    except YamlError as error:
        raise ParamError(str(error)) from error
    if not isinstance(data, dict):
        raise ParamError(f"{path}: node names with ros__parameters are needed at the top level")
    for section, content in data.items():
        node = str(section).rsplit("/", 1)[-1]
        if node != "**" and node not in nodes:
            raise ParamError(f"{path}: there is no node {section}; there are {', '.join(nodes)}")
        if not str(section).startswith("/"):
            # rcl would take it for a node outside every namespace, and ignore it without a word
            raise ParamError(f"{path}: write /**/{section} instead of {section}, which no node in a namespace reads")
        parameters = content.get("ros__parameters") if isinstance(content, dict) else None
        if not isinstance(parameters, dict):
            raise ParamError(f"{path}: {section} needs ros__parameters with names and values below")
        if node == "**":
            continue
        # what ROS itself declares for every node
        flat = {name: value for name, value in flatten(parameters).items() if not _of_ros(name)}
        try:
            build(nodes[node], flat)
        except ParamError as error:
            raise ParamError(f"{path}: {section}: {error}") from error


def _of_ros(name: str) -> bool:
    return name == "use_sim_time" or name.startswith("qos_overrides.")


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"a": {"b": 1}}`` as ``{"a.b": 1}``, which is how ROS names parameters."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _comment(info: ParamInfo) -> str:
    notes = [text for text in (info.unit, info.range_text, "read-only" if info.read_only else "") if text]
    return info.description + (f" [{', '.join(notes)}]" if notes else "")


def _scalar(value: Any) -> str:
    if isinstance(value, tuple):
        value = list(value)
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("\n").removesuffix("...").strip()
