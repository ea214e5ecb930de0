"""Values of ROS parameters that may be known only while the launch runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import yaml
from launch._limits import REMEDY, unsupplied
from launch.substitutions import SomeSubstitutionsType, Substitution, normalize, perform

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

    def evaluate(self, context: LaunchContext) -> Evaluated:
        value = self.value
        if _is_text(value):
            value = perform(context, value)
            if self.value_type is str:
                return value
            value = yaml.safe_load(value)
        if self.value_type is None:
            return _checked(value, str(self.value))
        item = _SEQUENCES.get(str(self.value_type))
        if item is None:
            return _coerced(value, self.value_type)
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"a list is needed, got {value!r}")
        return [_coerced(part, item) for part in value]


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
    if any(isinstance(part, Substitution) for part in value) and _is_text(value):
        return _from_yaml(perform(context, value))
    parts = [part if isinstance(part, _SCALARS) else _from_yaml(perform(context, part)) for part in value]
    return _checked(parts, str(value))


def _is_text(value: Any) -> bool:
    """Whether ``value`` is what a substitution can be made of."""
    if isinstance(value, (str, Substitution)):
        return True
    return (
        isinstance(value, (list, tuple))
        and any(isinstance(part, Substitution) for part in value)
        and all(isinstance(part, (str, Substitution)) for part in value)
    )


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


def _coerced(value: Any, kind: type[Any]) -> Scalar:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{kind.__name__} is needed, got {value!r}")
    result: Scalar = value
    return result
