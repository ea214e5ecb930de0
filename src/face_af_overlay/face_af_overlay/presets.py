"""Parameters of the detector from a preset or parameter file, and back into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from face_af_common import yaml_files
from face_af_common.param_files import flatten
from face_af_common.params import ParamError, build, describe

from .params import OverlayNodeParams


def load(path: str) -> OverlayNodeParams:
    """The overlay's parameters in a ROS parameter file; :class:`ParamError` names what is wrong with it."""
    try:
        data = yaml_files.load(path)
    except yaml_files.YamlError as error:
        raise ParamError(str(error)) from error
    for section, content in data.items() if isinstance(data, dict) else ():
        if str(section).rsplit("/", 1)[-1] == "overlay" and isinstance(content, dict):
            tree = content.get("ros__parameters") or {}
            if not isinstance(tree, dict):
                raise ParamError(f"{path}: {section}: ros__parameters is no group of parameters")
            flat = flatten(tree)
            flat.pop("use_sim_time", None)
            return build(OverlayNodeParams, flat)
    raise ParamError(f"{path}: no section /**/overlay with ros__parameters")


def text(flat: Mapping[str, Any], remarks: list[str]) -> str:
    """A preset with those parameters (flat names), each described, below some remarks."""
    infos = {info.name: info for info in describe(OverlayNodeParams)}
    tree: dict[str, Any] = {}
    for name in infos:
        if name in flat:
            *groups, leaf = name.split(".")
            branch = tree
            for group in groups:
                branch = branch.setdefault(group, {})
            branch[leaf] = flat[name]
    body = yaml.safe_dump({"/**/overlay": {"ros__parameters": tree}}, sort_keys=False)
    return "".join(f"# {remark}\n" for remark in remarks) + body
