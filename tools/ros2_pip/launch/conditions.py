"""Conditions under which an action is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._limits import unsupplied
from .substitutions import SomeSubstitutionsType, normalize, perform

if TYPE_CHECKING:
    from .launch_context import LaunchContext

__all__ = [
    "IfCondition",
    "InvalidConditionExpressionError",
    "LaunchConfigurationEquals",
    "LaunchConfigurationNotEquals",
    "UnlessCondition",
]

__getattr__ = unsupplied(__name__)


class InvalidConditionExpressionError(Exception):
    """A condition is neither true nor false."""


class Condition:
    """Decides when the launch reaches the action."""

    def evaluate(self, context: LaunchContext) -> bool:
        raise NotImplementedError


class IfCondition(Condition):
    """True for ``true`` and ``1``, false for ``false`` and ``0``, in any case."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        self._predicate = normalize(predicate_expression)

    def evaluate(self, context: LaunchContext) -> bool:
        text = perform(context, self._predicate)
        value = text.strip().lower()
        if value in ("true", "1"):
            return True
        if value in ("false", "0"):
            return False
        raise InvalidConditionExpressionError(f"a condition must be true, false, 1 or 0, got '{text}'")


class UnlessCondition(IfCondition):
    """The opposite of :class:`IfCondition`."""

    def evaluate(self, context: LaunchContext) -> bool:
        return not super().evaluate(context)


class LaunchConfigurationEquals(Condition):
    """True where the launch configuration has that value; ``None``: where it is not set."""

    def __init__(self, launch_configuration_name: str, expected_value: SomeSubstitutionsType | None) -> None:
        self._name = launch_configuration_name
        self._expected = None if expected_value is None else normalize(expected_value)

    def evaluate(self, context: LaunchContext) -> bool:
        value = context.launch_configurations.get(self._name)
        return bool(value == (None if self._expected is None else perform(context, self._expected)))


class LaunchConfigurationNotEquals(LaunchConfigurationEquals):
    """The opposite of :class:`LaunchConfigurationEquals`."""

    def evaluate(self, context: LaunchContext) -> bool:
        return not super().evaluate(context)
