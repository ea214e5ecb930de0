"""Which parameters are tried: ``name=from:to:step``, ``name=a,b,c``, as a full grid or as samples of it."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from face_af_common.node_params import NODES
from face_af_common.params import ParamError, ParamInfo, describe

from ..replay.settings import resolve, typed

_MOST_VALUES = 10_000


@dataclass(frozen=True)
class Axis:
    """One parameter and the values to try."""

    node: str
    parameter: str
    values: tuple[Any, ...]

    @property
    def name(self) -> str:
        return f"{self.node}.{self.parameter}"


def parse_axis(text: str) -> Axis:
    """``NAME=from:to:step`` or ``NAME=a,b,c``; every value is checked. Raises ``ParamError``."""
    name, equals, values = text.partition("=")
    if not equals or not values.strip():
        raise ParamError(f"{text}: write NAME=from:to:step or NAME=a,b,c")
    node, parameter = resolve(name.strip())
    info = next(info for info in describe(NODES[node]) if info.name == parameter)
    if ":" in values:
        tried = _range(text, info, values)
    else:
        tried = [typed(info, part) for part in values.split(",")]
    try:
        return Axis(node, parameter, tuple(info.check(value) for value in tried))
    except ParamError as error:
        raise ParamError(f"{node}.{error}") from error


def combinations(axes: Sequence[Axis], samples: int = 0, seed: int = 1) -> list[dict[str, dict[str, Any]]]:
    """``{node: {parameter: value}}`` of every point of the grid, or of ``samples`` random ones of it."""
    size = math.prod(len(axis.values) for axis in axes)
    if samples and samples < size:
        numbers: Sequence[int] = sorted(random.Random(seed).sample(range(size), samples))
        points = [_point(axes, number) for number in numbers]
    elif size > _MOST_VALUES:
        raise ParamError(f"{size} combinations are too many; take larger steps or --samples N")
    else:
        points = list(itertools.product(*(axis.values for axis in axes)))
    return [_nested(axes, point) for point in points]


def flat(combination: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """``{node.parameter: value}``."""
    return {f"{node}.{name}": value for node, values in combination.items() for name, value in values.items()}


def _point(axes: Sequence[Axis], number: int) -> tuple[Any, ...]:
    point = []
    for axis in reversed(axes):
        number, index = divmod(number, len(axis.values))
        point.append(axis.values[index])
    return tuple(reversed(point))


def _nested(axes: Sequence[Axis], point: Sequence[Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for axis, value in zip(axes, point, strict=True):
        found.setdefault(axis.node, {})[axis.parameter] = value
    return found


def _range(text: str, info: ParamInfo, values: str) -> list[Any]:
    try:
        low, high, step = (float(part) for part in values.split(":"))
    except ValueError as error:
        raise ParamError(f"{text}: write from:to:step with three numbers") from error
    if info.type not in (int, float):
        raise ParamError(f"{text}: {info.name} is not a number; write its values as a,b,c")
    if not step > 0 or high < low:
        raise ParamError(f"{text}: the step must be above 0 and the end not below the start")
    count = math.floor((high - low) / step + 1e-9) + 1
    if count > _MOST_VALUES:
        raise ParamError(f"{text}: {count} values are too many")
    steps = [low + index * step for index in range(count)]
    return [round(value) for value in steps] if info.type is int else [round(value, 10) for value in steps]
