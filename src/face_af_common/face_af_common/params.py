"""Parameters as frozen dataclasses: one home for default, range, unit and description.

A node's parameters are one dataclass whose fields are made by :func:`param` or, for a group with
a dotted prefix, by :func:`group`. The ROS descriptors (:mod:`face_af_common.live_parameters`), the
YAML file and the tables of the documentation (:mod:`face_af_common.param_files`) are all derived
from it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .names import short

P = TypeVar("P")

_KEY = "face_af"


class ParamError(ValueError):
    """A parameter has a wrong type or value, or contradicts another; the text says which and why."""


@dataclass(frozen=True)
class ParamInfo:
    """What is known of one parameter beside its value."""

    name: str
    default: Any
    description: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    read_only: bool = False

    @property
    def type(self) -> type:
        return type(self.default)

    @property
    def range_text(self) -> str:
        """``0.1 to 2.0``, ``a | b``, or empty."""
        if self.choices:
            return " | ".join(self.choices)
        if self.low is not None and self.high is not None:
            return f"{self.low} to {self.high}"
        return ""

    def check(self, value: Any) -> Any:
        """``value`` as the parameter's type, or :class:`ParamError`. An int is taken for a float."""
        kind = self.type
        if kind is float and type(value) is int:
            value = float(value)
        if kind is tuple:
            if not isinstance(value, (list, tuple)):
                raise ParamError(f"{self.name}: a list is needed, got {short(repr(value))}")
            item = type(self.default[0]) if self.default else None
            if item is float:
                value = [float(v) if type(v) is int else v for v in value]
            if item and any(type(v) is not item for v in value):
                raise ParamError(f"{self.name}: a list of {item.__name__} is needed, got {short(repr(list(value)))}")
            if item is not str and self.default and len(value) != len(self.default):
                raise ParamError(f"{self.name}: {len(self.default)} numbers are needed, got {len(value)}")
            for v in value:
                self._check_range(v)
            return tuple(value)
        if type(value) is not kind:
            raise ParamError(f"{self.name}: {_WORDS[kind]} is needed, got {short(repr(value))}")
        self._check_range(value)
        return value

    def _check_range(self, value: Any) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            raise ParamError(f"{self.name}: {value} is not a finite number")
        if self.choices and value not in self.choices:
            raise ParamError(f"{self.name}: {short(repr(value))} is none of {', '.join(self.choices)}")
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise ParamError(f"{self.name}: {value} is outside {self.range_text}{' ' + self.unit if self.unit else ''}")


_WORDS: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
}


def param(
    default: Any,
    description: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
    read_only: bool = False,
) -> Any:
    """A dataclass field that is a parameter. bool, int, float, str, or a tuple of one of them."""
    info = ParamInfo("", default, description, unit, low, high, tuple(choices), read_only)
    return dataclasses.field(default=default, metadata={_KEY: info})


def group(kind: type) -> Any:
    """A dataclass field that holds another parameter dataclass; its names get the field's name and a dot."""
    return dataclasses.field(default_factory=kind)


def describe(kind: type, prefix: str = "") -> Iterator[ParamInfo]:
    """Every parameter of a parameter dataclass, groups flattened to ``group.name``, in order."""
    for field in dataclasses.fields(kind):
        info = field.metadata.get(_KEY)
        if info is not None:
            yield dataclasses.replace(info, name=prefix + field.name)
        elif field.default_factory is not dataclasses.MISSING:
            yield from describe(field.default_factory, f"{prefix}{field.name}.")  # type: ignore[arg-type]


def values(params: Any, prefix: str = "") -> dict[str, Any]:
    """The flat ``{name: value}`` of a parameter dataclass."""
    flat: dict[str, Any] = {}
    for field in dataclasses.fields(params):
        value = getattr(params, field.name)
        if _KEY in field.metadata:
            flat[prefix + field.name] = value
        else:
            flat.update(values(value, f"{prefix}{field.name}."))
    return flat


def build(kind: type[P], flat: Mapping[str, Any], prefix: str = "") -> P:
    """A parameter dataclass from flat values; absent ones take their default.

    Checks type and range of each, then calls the dataclass' own ``check()``, if it has one, for what
    concerns several. Raises :class:`ParamError`, also for a name that does not exist.
    """
    known = {info.name for info in describe(kind)}
    for name in flat:
        if name not in known:
            raise ParamError(f"there is no parameter {prefix}{name}{suggestion(name, known)}")
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        info = field.metadata.get(_KEY)
        if info is not None:
            if field.name in flat:
                fields[field.name] = dataclasses.replace(info, name=prefix + field.name).check(flat[field.name])
        else:
            start = field.name + "."
            part = {name[len(start) :]: value for name, value in flat.items() if name.startswith(start)}
            fields[field.name] = build(field.default_factory, part, prefix + start)  # type: ignore[arg-type]
    made = kind(**fields)
    check = getattr(made, "check", None)
    if check is not None:
        check()
    return made


def changed(params: P, changes: Mapping[str, Any]) -> P:
    """A copy of a parameter dataclass with some flat names changed, checked as by :func:`build`."""
    return build(type(params), {**values(params), **changes})


def suggestion(name: str, known: Iterable[str]) -> str:
    """``; did you mean …?`` with the known name that is most like ``name``, or nothing."""
    import difflib

    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
