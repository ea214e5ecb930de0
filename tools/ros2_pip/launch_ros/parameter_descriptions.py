"""Values of ROS parameters that may be known only while the launch runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import yaml
from launch._limits import REMEDY, unsupplied
from launch.substitutions import SomeSubstitutionsType, Substitution, normalize, perform, truth

if TYPE_CHECKING:
    from launch import LaunchContext

__all__ = [
    "ParameterFile",
    "ParameterValue",
]

__getattr__ = unsupplied(__name__)

Scalar = bool | int | float | str
Evaluated = Scalar | list[Scalar]

_SCALARS = (bool, int, float, str)
_SEQUENCES = {f"{name}[{item.__name__}]": item for item in _SCALARS for name in ("typing.List", "list")}
"""Types of lists, as Python writes them, and the type of their items."""


class ParameterValue:
    """A value of a stated type: bool, int, float, str, ``List`` of one of them, or None for YAML's rules."""

    def __init__(self, value: Any, *, value_type: Any = None) -> None:
        if value_type is not None and value_type not in _SCALARS and str(value_type) not in _SEQUENCES:
            raise ValueError(f"ParameterValue: {value_type} is no type of a parameter")
        self.value, self.value_type = value, value_type
        if not _is_substitution(value) and value_type is not None and not self._fits(value):
            raise TypeError(f"ParameterValue: {value!r} is not an instance of {value_type}")

    def _fits(self, value: Any) -> bool:
        item = _SEQUENCES.get(str(self.value_type))
        if item is None:
            return type(value) is self.value_type
        return isinstance(value, (list, tuple)) and all(type(part) is item for part in value)

    def evaluate(self, context: LaunchContext) -> Evaluated:
        if not _is_substitution(self.value):
            return list(self.value) if isinstance(self.value, (list, tuple)) else _checked(self.value, str(self.value))
        text = perform(context, self.value)
        if self.value_type is None:
            return _from_yaml(text)
        item = _SEQUENCES.get(str(self.value_type))
        if item is None:
            return _parsed(text, self.value_type)
        parts = yaml.safe_load(text)
        if not isinstance(parts, list):
            raise ValueError(f"a list is needed, got {text!r}")
        return [part if item is str and isinstance(part, str) else _parsed(str(part), item) for part in parts]


class ParameterFile:
    """A YAML file with parameters."""

    def __init__(self, param_file: os.PathLike[str] | SomeSubstitutionsType, *, allow_substs: bool = False) -> None:
        if allow_substs:
            raise NotImplementedError(f"ParameterFile(allow_substs=True) is not supplied: {REMEDY}")
        self._path = normalize(os.fspath(param_file) if isinstance(param_file, os.PathLike) else param_file)

    def evaluate(self, context: LaunchContext) -> str:
        return perform(context, self._path)


def evaluate_parameters(context: LaunchContext, tree: Mapping[Any, Any], prefix: str = "") -> dict[str, Evaluated]:
    """``{name: value}`` now, nested names joined with dots.

    Texts stay texts; the result of a substitution is read as YAML. A list with substitutions and
    texts in it is one value, its parts joined; a list of lists is a list of such values.
    """
    flat: dict[str, Evaluated] = {}
    for key, value in tree.items():
        name = prefix + perform(context, key)
        if isinstance(value, Mapping):
            flat.update(evaluate_parameters(context, value, f"{name}."))
            continue
        try:
            flat[name] = _evaluated(context, value)
        except (TypeError, ValueError, yaml.YAMLError) as error:
            raise TypeError(f"parameter {name}: {error}") from error
    return flat


def _evaluated(context: LaunchContext, value: Any) -> Evaluated:
    if isinstance(value, ParameterValue):
        return value.evaluate(context)
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, Substitution):
        return _from_yaml(perform(context, value))
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{value!r} is no value of a parameter")
    if _is_substitution(value):
        return _from_yaml(perform(context, value))
    parts = [part if isinstance(part, _SCALARS) else _from_yaml(perform(context, part)) for part in value]
    return _checked(parts, str(value))


def _is_substitution(value: Any) -> bool:
    """Whether ``value`` is a substitution, or texts and substitutions to be joined."""
    if isinstance(value, (list, tuple)):
        return any(isinstance(part, Substitution) for part in value) and all(
            isinstance(part, (str, Substitution)) for part in value
        )
    return isinstance(value, Substitution)


def _from_yaml(text: str) -> Evaluated:
    return _checked(yaml.safe_load(text) if text else "", text)


def _checked(value: Any, written: str) -> Evaluated:
    """``value`` if it can be a parameter's; ints among floats become floats."""
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        parts = list(value)
        kinds = {type(part) for part in parts}
        if kinds == {int, float}:
            return [float(part) for part in parts]
        if len(kinds) == 1 and kinds <= set(_SCALARS):
            return parts
    raise TypeError(
        f"{written!r} is neither a bool, a number, a text nor a non-empty list of one of these; "
        "wrap it in ParameterValue(…, value_type=str) if it is meant as a text"
    )


def _parsed(text: str, kind: type) -> Scalar:
    """``text`` as a scalar of that type. ValueError where it is none."""
    if kind is bool:
        return truth(text)
    value: Scalar = kind(text)
    return value
